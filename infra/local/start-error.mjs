import { shown } from './paths.mjs';

/**
 * Why the local stack does not start, in words for the person who started it. Stands beside CurfewError, which is
 * TypeScript: this folder must run before anything is installed.
 */
export class StartError extends Error {
  /**
   * @param {string} message what happened and what to do
   * @param {{ log?: string, cause?: unknown }} [options] `log`: the file that says more
   */
  constructor(message, { log, cause } = {}) {
    super(
      log === undefined ? message : `${message}\nIts log: ${shown(log)}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = 'StartError';
  }
}
