import { interruption, Stopped } from './interrupt.mjs';
import { createProgress } from './progress.mjs';
import { newAccounts, playAndShow } from './scenario-show.mjs';
import { PORTS } from './services.mjs';

const progress = createProgress();
const signal = interruption(progress.line);

/** `npm run scenario`: plays the scenario against the stack that runs at the usual ports, however it was started. */
async function play() {
  const addressOf = (/** @type {keyof typeof PORTS} */ name) => `http://127.0.0.1:${PORTS[name]}`;
  return playAndShow({ addressOf, subjectOf: newAccounts(progress), progress, signal });
}

process.exitCode = await play().then(
  (passed) => (passed ? 0 : 1),
  (error) => {
    if (error instanceof Stopped) return error.exitCode;
    console.error(error);
    return 1;
  },
);
