import { startProcess } from './processes.mjs';
import { StartError } from './start-error.mjs';

/**
 * Runs a command to its end; its output goes to a file.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} options
 * @param {string} options.log
 * @param {AbortSignal | undefined} [options.signal] ends the command too
 * @param {number | undefined} [options.limitMs] a command that takes longer is ended, and has failed; default: none
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {string} [options.cwd]
 * @param {string} options.missing what to say where there is no such command
 * @param {string} options.failed what to say where its exit code is not 0
 * @param {NodeJS.Signals} [options.stopBy] what the signal or the limit ends it with: SIGKILL, where half a result counts as none;
 *   default SIGTERM, and a while to tidy up
 * @returns {Promise<void>}
 * @throws {StartError} with these words; the signal's reason.
 */
export async function run(command, args, { log, signal, limitMs, env, cwd, missing, failed, stopBy }) {
  signal?.throwIfAborted();
  const started = await startProcess({ name: command, command, args, log, env, cwd }).catch((error) => {
    throw error.cause?.code === 'ENOENT' ? new StartError(missing, { cause: error }) : error;
  });
  const stop = () => void started.stop(stopBy);
  signal?.addEventListener('abort', stop, { once: true });
  const limit = limitMs === undefined ? undefined : setTimeout(stop, limitMs);
  const end = await started.ended;
  clearTimeout(limit);
  signal?.removeEventListener('abort', stop);
  signal?.throwIfAborted();
  if (end !== 'exit code 0') throw new StartError(failed, { log });
}
