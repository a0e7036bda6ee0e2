import { createActors } from './scenario-actors.mjs';
import { eventSteps } from './scenario-events.mjs';
import { lifecycleSteps } from './scenario-lifecycle.mjs';

/**
 * A step that was played.
 *
 * @typedef {object} PlayedStep
 * @property {string} title
 * @property {string} expected the answers that it should bring, in words
 * @property {Readonly<Record<'orders' | 'payments', string | number>>} seen per service: an answer, or the ms from the
 *   bus's acknowledgement to the first rejection; empty where the step does not call it
 * @property {string | undefined} failure in words; undefined where the step passed
 */

/** @typedef {{ title: string, expected: string, play: () => Promise<Record<string, string | number>> }} Step */

/**
 * Plays what Curfew is for, as a client over HTTP: passwords change, accounts are disabled, roles are lost, people log
 * out, a token is stolen, and two services reject the sessions that end.
 *
 * @param {object} options
 * @param {Readonly<Record<'sessionService' | 'identityPublisher' | 'orders' | 'payments', string>>} options.urls
 * @param {((person: string) => string) | undefined} [options.subjectOf] the accounts' names; default: as they are
 * @param {number} [options.limitMs] how long an effect may take before its step fails; default 5000
 * @param {(title: string, play: () => Promise<PlayedStep>) => Promise<PlayedStep>} [options.around] to show the progress
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<PlayedStep[]>} every step, those after a failed one too
 */
export async function playScenario({ around = (_title, play) => play(), signal, ...options }) {
  const played = [];
  const actors = createActors(options);
  for (const step of [...eventSteps(actors), ...lifecycleSteps(actors)]) {
    signal?.throwIfAborted();
    played.push(await around(step.title, () => outcomeOf(step)));
  }
  return played;
}

/** @param {Step} step @returns {Promise<PlayedStep>} */
async function outcomeOf({ title, expected, play }) {
  try {
    return { title, expected, seen: { orders: '', payments: '', ...(await play()) }, failure: undefined };
  } catch (error) {
    return { title, expected, seen: { orders: '', payments: '' }, failure: /** @type {Error} */ (error).message };
  }
}
