import { html } from '/vendor/lit-html/lit-html.js';
import { icon } from '../icons.js';
import { duration } from '../words.js';
import { replicasOf } from './replicas.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('../icons.js').Level} Level */

/** How Redis, Kafka and the session service are, by what they say; what is old says nothing. @param {State} state */
export function health({ hearing, store, sidecars }) {
  const { failure, notReady } = hearing;
  const said = (/** @type {RegExp} */ name) => (notReady !== undefined && name.test(notReady) ? notReady : undefined);
  const views = sidecars.filter(({ state }) => state === 'live').flatMap(({ ages }) => ages);
  const youngest = views.length === 0 ? undefined : Math.min(...views);
  const kept = `${store.eventsRejected} not understood, ${store.eventsForwarded} in a wrong partition`;
  const items = [
    told('Session service', failure ?? notReady, 'ready'),
    told(
      'Kafka',
      said(/kafka|partition|topic/i),
      youngest === undefined ? 'no view' : `youngest view ${duration(youngest)} old`,
    ),
    told('Redis', said(/redis/i), redisWords(store)),
    ...replicasOf(store),
    told('Eviction', store.evicting ? EVICTING : undefined, `${store.evictedKeys ?? 0} keys dropped`),
    counted('Events kept aside', store.eventsRejected, kept),
    counted('Refresh tokens used twice', store.reuseDetected, `${store.reuseDetected}`),
  ];
  return html`
    <section aria-labelledby="health-title">
      <h2 id="health-title">Health</h2>
      <dl class="health">${items.map(
        ({ name, level, words }) => html`<div>
        <dt>${icon(failure === undefined ? level : 'unknown')}${name}</dt><dd>${words}</dd>
      </div>`,
      )}</dl>
    </section>
  `;
}

const EVICTING = 'Redis may drop keys: set maxmemory-policy noeviction';

/** @param {State['store']} store */
function redisWords({ usedMemoryBytes, reconnects, operationMs }) {
  return [
    usedMemoryBytes === undefined ? 'says nothing' : `${(usedMemoryBytes / 1048576).toFixed(1)} MiB`,
    ...(operationMs === undefined ? [] : [`${duration(operationMs)} an operation`]),
    ...(reconnects > 0 ? [`${reconnects} reconnects`] : []),
  ].join(', ');
}

/** @typedef {{ readonly name: string, readonly level: Level, readonly words: string }} Item */

/** What is wrong, or how it is. @param {string} name @param {string | undefined} wrong @param {string} right @returns {Item} */
const told = (name, wrong, right) => ({ name, level: wrong === undefined ? 'good' : 'bad', words: wrong ?? right });

/** What should be nought. @param {string} name @param {number} number @param {string} words @returns {Item} */
const counted = (name, number, words) => ({ name, level: number > 0 ? 'warning' : 'good', words });
