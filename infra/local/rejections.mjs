import { setTimeout as delay } from 'node:timers/promises';
import { inWords, request } from './http-client.mjs';

/**
 * A session at a service, polled by a client of its own.
 *
 * @typedef {object} Target
 * @property {string} service
 * @property {string} url a protected route
 * @property {import('./http-client.mjs').Credential} user
 */

/** Requests of one target under way at the same time. More would queue for the same cores, and measure that queue. */
const IN_FLIGHT = 1;

/**
 * Ends sessions by an event and measures how long each service still accepts them.
 *
 * @param {object} options
 * @param {readonly Target[]} options.targets
 * @param {string} options.expected the rejection in words, as `401 session_revoked`
 * @param {() => Promise<unknown>} options.event resolves when the bus has acknowledged
 * @param {number} options.limitMs
 * @returns {Promise<Record<string, number>>} per service, ms from the acknowledgement to the first rejection; of several
 *   sessions, that of the slowest; 0 where the rejection came first.
 * @throws {Error} in words, where a service answers otherwise, accepts again, or still accepts after the limit.
 */
export async function measureRejections({ targets, expected, event, limitMs }) {
  for (const target of targets) await expectAnswer(target, '200');
  const given = new AbortController();
  // Polling begins before the event leaves: a rejection that is quicker than its acknowledgement is seen too.
  const polls = targets.map((target) => firstRejection(target, expected, given.signal));
  const all = Promise.all(polls);
  all.catch(() => {});
  try {
    await event();
    const acknowledgedAt = performance.now();
    const limit = delay(limitMs, undefined, { ref: false, signal: given.signal }).then(
      () => {
        throw new Error(`not rejected with ${expected} within ${limitMs / 1000} s`);
      },
      () => {},
    );
    const rejectedAt = /** @type {number[]} */ (await Promise.race([all, limit]));
    /** @type {Record<string, number>} */
    const slowest = {};
    for (const [at, { service }] of targets.entries())
      slowest[service] = Math.max(slowest[service] ?? 0, (rejectedAt[at] ?? 0) - acknowledgedAt);
    for (const target of targets) await expectAnswer(target, expected);
    return slowest;
  } finally {
    given.abort();
  }
}

/**
 * Polls without a pause.
 *
 * @param {Target} target
 * @param {string} expected
 * @param {AbortSignal} signal gives up
 * @returns {Promise<number>} when the first rejection arrived
 */
async function firstRejection(target, expected, signal) {
  /** @type {number | undefined} */
  let rejectedAt;
  const poll = async () => {
    while (rejectedAt === undefined && !signal.aborted) {
      const answer = inWords(await request(target.url, { user: target.user }));
      if (answer === expected) rejectedAt ??= performance.now();
      else if (answer !== '200') throw new Error(`${target.service} answers ${answer}, not ${expected}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, poll));
  return rejectedAt ?? Number.POSITIVE_INFINITY;
}

/** @param {Target} target @param {string} expected @returns {Promise<import('./http-client.mjs').Answer>} */
export async function expectAnswer({ service, url, user }, expected) {
  const answer = await request(url, { user });
  if (inWords(answer) !== expected) throw new Error(`${service} answers ${inWords(answer)}, not ${expected}`);
  return answer;
}
