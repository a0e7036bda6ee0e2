import { constants } from 'node:os';

/** How often a run that must not outlive its parent looks for it, ms. */
const PARENT_POLL_MS = 200;

/** Somebody ends this run. */
export class Stopped extends Error {
  /** @param {'SIGINT' | 'SIGTERM' | 'SIGHUP'} name */
  constructor(name) {
    super(name);
    this.name = 'Stopped';
    this.exitCode = 128 + constants.signals[name];
  }
}

/**
 * @param {(words: string) => void} say that it was heard: what runs may take seconds to end
 * @param {{ withParent?: boolean }} [options] `withParent`: the end of the parent ends this run too. A shell that is
 *   ended leaves what it waits for behind.
 * @returns {AbortSignal} aborts when somebody ends this run; its reason is a `Stopped`
 */
export function interruption(say, { withParent = false } = {}) {
  const interrupt = new AbortController();
  for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(name, () => {
      // Asked twice, it does not wait for an orderly end.
      if (interrupt.signal.aborted) process.exit(1);
      say(`${name}: stopping; once more stops at once`);
      interrupt.abort(new Stopped(name));
    });
  if (withParent) {
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent && !interrupt.signal.aborted) interrupt.abort(new Stopped('SIGTERM'));
    }, PARENT_POLL_MS).unref();
  }
  return interrupt.signal;
}
