import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from './start-error.mjs';

/**
 * A process that this one started, with everything that it started itself.
 *
 * @typedef {object} Started
 * @property {string} name
 * @property {number} pid
 * @property {string} log the file that takes its output
 * @property {Promise<string>} ended resolves when it ends, with how: `exit code 1`, `SIGTERM`
 * @property {() => boolean} running
 * @property {(signal?: NodeJS.Signals) => Promise<void>} stop ends it and what it started; resolves when it is gone
 * @property {(message: import('node:child_process').Serializable) => void} send where `onMessage` is given: to its `process.on('message')`
 */

/** How long a process may take to end by itself after SIGTERM, ms. */
const GRACE_MS = 12_000;

/** Between two questions whether a process is ready, ms. */
const POLL_MS = 25;

/**
 * Ends a process group when this process ends, however that happens, SIGKILL too: a shell waits at a pipe that closes
 * with this process.
 *
 * @param {number} group
 * @returns {() => void} takes the guard away
 */
function guard(group) {
  const shell = spawn('/bin/sh', ['-c', 'read -r _; kill -s KILL -- "-$1"', 'guard', `${group}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  // A pipe is a socket here, whatever its type says.
  /** @type {import('node:net').Socket} */ (shell.stdin).unref();
  return () => void shell.kill('SIGKILL');
}

/**
 * Starts a process in a group of its own, so that the whole tree can be ended, and a Ctrl-C at the terminal reaches
 * only the one who ends the others in order. Its output goes to a file.
 *
 * @param {object} options
 * @param {string} options.name
 * @param {string} options.command
 * @param {readonly string[]} options.args
 * @param {string} options.log
 * @param {NodeJS.ProcessEnv | undefined} [options.env] default: this process's
 * @param {string | undefined} [options.cwd]
 * @param {(message: unknown) => void} [options.onMessage] hears what a process of Node says by `process.send`
 * @returns {Promise<Started>}
 * @throws {StartError} where the command cannot be run.
 */
export async function startProcess({ name, command, args, log, env = process.env, cwd, onMessage }) {
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, 'a');
  const stdio = /** @type {const} */ (['ignore', output, output]);
  const child = spawn(command, args, { cwd, env, detached: true, stdio: onMessage ? [...stdio, 'ipc'] : [...stdio] });
  closeSync(output);
  const { pid } = child;
  if (pid === undefined) {
    const cause = await new Promise((resolve) => child.once('error', resolve));
    throw new StartError(`${name} cannot be started: ${/** @type {Error} */ (cause).message}.`, { cause });
  }
  if (onMessage) child.on('message', onMessage);
  const release = guard(pid);
  let running = true;
  /** @type {Promise<string>} */
  const ended = new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      running = false;
      kill(pid, 'SIGKILL');
      release();
      resolve(signal ?? `exit code ${code}`);
    });
  });
  return {
    name,
    pid,
    log,
    ended,
    running: () => running,
    send: (message) => {
      // One that is gone hears nothing; whoever waits for its answer sees it end.
      if (child.connected) child.send(message, () => {});
    },
    stop: async (signal = 'SIGTERM') => {
      if (!running) return;
      kill(pid, signal);
      const gone = await Promise.race([ended, delay(GRACE_MS, undefined, { ref: false })]);
      if (gone === undefined) kill(pid, 'SIGKILL');
      await ended;
    },
  };
}

/** Signals a whole group; one that is gone already is no error. */
function kill(/** @type {number} */ group, /** @type {NodeJS.Signals} */ signal) {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/**
 * Asks again and again until the answer is yes.
 *
 * @param {Started} started whose answer it is
 * @param {() => Promise<boolean | string>} answers true, or not yet, with a reason in words where there is one; must not throw
 * @param {{ limitMs: number, signal?: AbortSignal | undefined }} options
 * @throws {StartError} naming the log, where the process ends or the limit passes first; the signal's reason.
 */
export async function waitUntil(started, answers, { limitMs, signal }) {
  const limit = Date.now() + limitMs;
  for (;;) {
    const answer = await answers();
    signal?.throwIfAborted();
    if (!started.running())
      throw new StartError(`${started.name} ended while it started: ${await started.ended}.`, { log: started.log });
    if (answer === true) return;
    if (Date.now() > limit) {
      const reason = typeof answer === 'string' ? `: ${answer}` : '';
      throw new StartError(`${started.name} is not ready after ${limitMs / 1000} s${reason}.`, { log: started.log });
    }
    await delay(POLL_MS);
  }
}
