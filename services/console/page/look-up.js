import { failureOf } from './failure.js';

/**
 * What a view asks the console for.
 *
 * @typedef {object} LookUp
 * @property {any} [value] the answer
 * @property {string} [failure] or why there is none, in words
 */

/** Between two times that the same is asked, ms. */
const AGAIN_MS = 1500;
/** Longest wait for an answer, ms: of the few connections that a browser has, those that are lost are free again. */
const LIMIT_MS = 5000;

let path = '';
let asked = 0;
/** @type {LookUp} */
let latest = {};

export const lookedUp = () => latest;

/**
 * Asks for what a view needs, and anew from time to time.
 *
 * @param {string | undefined} wanted a path of the console's API; undefined: nothing
 * @param {() => void} changed
 */
export async function lookUp(wanted, changed) {
  const now = performance.now();
  if (wanted === path && now < asked + AGAIN_MS) return;
  if (wanted !== path) latest = {};
  path = wanted ?? '';
  asked = now;
  if (wanted === undefined) return;
  /** @type {LookUp} */
  const answer = await get(wanted).then(
    (value) => ({ value }),
    (/** @type {Error} */ error) => ({ failure: error.message }),
  );
  if (path !== wanted) return;
  // What was there stays while the console is away.
  latest = answer.value === undefined && latest.value !== undefined ? { ...latest, ...answer } : answer;
  changed();
}

/** @param {string} from @throws {Error} with the reason in words */
async function get(from) {
  const answer = await fetch(from, { credentials: 'omit', signal: AbortSignal.timeout(LIMIT_MS) }).catch(
    () => undefined,
  );
  if (answer?.ok) return answer.json();
  throw new Error(await failureOf(answer));
}
