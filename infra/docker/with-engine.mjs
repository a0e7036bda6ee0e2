import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { interruption, Stopped } from '../local/interrupt.mjs';
import { StartError } from '../local/start-error.mjs';
import { NoEngine, provideEngine } from './engine.mjs';

/** The exit code where there is no engine and none can be had (EX_UNAVAILABLE of sysexits.h); 1 where one fails. */
const UNAVAILABLE = 69;

const say = console.error;
const signal = interruption(say);

/**
 * `node infra/docker/with-engine.mjs <command> <argument>…` runs a command where a Docker engine answers, and ends the
 * engine that it started for it. Without a command it holds one until Ctrl-C, and says how to reach it.
 *
 * @param {readonly string[]} words
 * @returns {Promise<number>} the command's exit code
 */
async function withEngine([command, ...args]) {
  const engine = await provideEngine({ say, signal });
  try {
    // It may have been heard while nobody listened.
    signal.throwIfAborted();
    if (command === undefined) {
      for (const name of ['DOCKER_HOST', 'DOCKER_CONFIG', 'PATH']) say(`export ${name}='${engine.env[name] ?? ''}'`);
      if (engine.pid === undefined) return 0;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return 0;
    }
    const child = spawn(command, args, { env: engine.env, stdio: 'inherit' });
    signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, by) => resolve(code ?? 128 + (by === null ? 0 : constants.signals[by])));
    });
  } finally {
    await engine.stop();
  }
}

process.exitCode = await withEngine(process.argv.slice(2)).catch((error) => {
  if (error instanceof Stopped) return error.exitCode;
  console.error(error instanceof StartError ? error.message : error);
  return error instanceof NoEngine ? UNAVAILABLE : 1;
});
