import { rm } from 'node:fs/promises';

/** For a directory in which a process that ends may still write: it is not empty then, and is tried again for some 3 s. */
export const REMOVAL = Object.freeze({ recursive: true, force: true, maxRetries: 10, retryDelay: 50 });

/** Removes a directory with all that is in it, where it is there. */
export const removeDirectory = (/** @type {string} */ directory) => rm(directory, REMOVAL);
