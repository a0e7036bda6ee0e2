import { interruption, Stopped } from '../local/interrupt.mjs';
import { createProgress } from '../local/progress.mjs';
import { StartError } from '../local/start-error.mjs';
import { prepareDocker } from './prepare.mjs';

const progress = createProgress();

/** `npm run images`: the images of docker-compose.yml, and the `.env` that it reads. */
async function build() {
  const engine = await prepareDocker({ progress, signal: interruption(progress.line) });
  await engine.stop();
}

await build().catch((error) => {
  if (!(error instanceof Stopped)) console.error(error instanceof StartError ? error.message : error);
  process.exitCode = error instanceof Stopped ? error.exitCode : 1;
});
