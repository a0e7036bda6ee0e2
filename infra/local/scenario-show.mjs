import { playScenario } from './scenario.mjs';
import { scenarioTable } from './scenario-table.mjs';

/** @typedef {ReturnType<typeof import('./progress.mjs').createProgress>} Progress */

/**
 * Plays the scenario and shows each step, and all of them as a table.
 *
 * @param {object} options
 * @param {(name: 'session-service' | 'identity-publisher' | 'orders' | 'payments') => string} options.addressOf
 * @param {((person: string) => string) | undefined} options.subjectOf the accounts' names; undefined: as they are
 * @param {Progress} options.progress
 * @param {AbortSignal} options.signal
 * @returns {Promise<boolean>} whether every step passed
 */
export async function playAndShow({ addressOf, subjectOf, progress, signal }) {
  const steps = await playScenario({
    urls: {
      sessionService: addressOf('session-service'),
      identityPublisher: addressOf('identity-publisher'),
      orders: addressOf('orders'),
      payments: addressOf('payments'),
    },
    subjectOf,
    around: (title, play) => progress.run(title, play, { passed: ({ failure }) => failure === undefined }),
    signal,
  });
  progress.line(`\n${scenarioTable(steps, progress.paint)}\n`);
  return steps.every(({ failure }) => failure === undefined);
}

/**
 * Names for accounts that nobody had before. In a Kafka or a Redis that was there before, what an earlier run did to its
 * accounts, bob disabled for one, is still known.
 *
 * @param {Progress} progress
 * @returns {(person: string) => string}
 */
export function newAccounts({ line, paint }) {
  const run = Date.now().toString(36);
  line(paint.dim(`The accounts of this run are new: alice-${run}, bob-${run} and so on`));
  return (person) => `${person}-${run}`;
}
