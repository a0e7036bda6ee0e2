import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LOCAL, shown } from './paths.mjs';

const POLL_MS = 100;

/** The locks that this process holds: one with its process id that it does not hold is of an earlier life of that id. */
const held = new Set();

/**
 * Does work that two runs in the same clone must not do at the same time: the second waits until the first has ended,
 * however that ends.
 *
 * @template T
 * @param {string} name the lock is the directory `.curfew/<name>.lock`, with the process id of its holder
 * @param {() => Promise<T>} work sees for itself whether somebody has done it meanwhile
 * @param {{ say?: ((progress: string) => void) | undefined, signal?: AbortSignal | undefined }} [options]
 * @returns {Promise<T>}
 * @throws the signal's reason, where it comes before the lock.
 */
export async function exclusively(name, work, { say, signal } = {}) {
  const lock = `${LOCAL}/${name}.lock`;
  const own = `${lock}.${randomUUID()}`;
  await mkdir(own, { recursive: true });
  await writeFile(`${own}/pid`, `${process.pid}`);
  try {
    let said = false;
    // Taken by a rename: it holds its process id from its first moment.
    while (!(await renamed(own, lock))) {
      const holder = await holderOf(lock);
      if (holder === undefined || !(await discarded(lock, holder))) {
        if (holder !== undefined && !said) say?.(`waits for process ${holder}, which holds ${shown(lock)}`);
        said ||= holder !== undefined;
        await delay(POLL_MS);
      }
      signal?.throwIfAborted();
    }
    held.add(lock);
    try {
      return await work();
    } finally {
      held.delete(lock);
      // Away in one step too: while its parts are removed, it is nobody's.
      await rename(lock, own);
    }
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** Whether a directory could be renamed; not where the other one is there, with something in it. @param {string} from @param {string} to */
async function renamed(from, to) {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return false;
    if (['ENOTEMPTY', 'EEXIST'].includes(`${/** @type {NodeJS.ErrnoException} */ (error).code}`)) return false;
    throw error;
  }
}

/** @param {string} lock @returns {Promise<number | undefined>} undefined where it has just gone */
async function holderOf(lock) {
  return Number(await readFile(`${lock}/pid`, 'utf8').catch(() => undefined)) || undefined;
}

/** Removes the lock of a process that is gone. @param {string} lock @param {number} holder */
async function discarded(lock, holder) {
  const lives = holder === process.pid ? held.has(lock) : runs(holder);
  if (lives) return false;
  const away = `${lock}.${randomUUID()}`;
  if (!(await renamed(lock, away))) return true;
  // Somebody else may have discarded it first, and a third one taken it: that one gets it back.
  if ((await holderOf(away)) !== holder && (await renamed(away, lock))) return true;
  await rm(away, { recursive: true, force: true });
  return true;
}

/** @param {number} pid */
function runs(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
