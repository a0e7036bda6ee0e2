import { interruption, Stopped } from '../local/interrupt.mjs';
import { LOCAL } from '../local/paths.mjs';
import { createProgress } from '../local/progress.mjs';
import { StartError } from '../local/start-error.mjs';
import { provideEngine } from './engine.mjs';
import { writeEnvironmentFile } from './environment-file.mjs';
import { buildImages } from './images.mjs';

const progress = createProgress();
const signal = interruption(progress.line);

/** `npm run images`: the images of docker-compose.yml, and the `.env` that it reads. */
async function build() {
  const doing = { log: `${LOCAL}/docker/images.log`, signal };
  const engine = await progress.run('Docker engine', (say) => provideEngine({ say, signal }), { signal });
  try {
    const standIns = await progress.run('images', (say) => buildImages({ ...doing, env: engine.env, say }), { signal });
    writeEnvironmentFile(standIns);
  } finally {
    await engine.stop();
  }
}

await build().catch((error) => {
  if (!(error instanceof Stopped)) console.error(error instanceof StartError ? error.message : error);
  process.exitCode = error instanceof Stopped ? error.exitCode : 1;
});
