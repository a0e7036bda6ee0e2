import { html } from '/vendor/lit-html/lit-html.js';
import { icon } from '../icons.js';
import { duration } from '../words.js';

/** @typedef {import('../model.js').State} State */
/** @typedef {import('../icons.js').Level} Level */

/** How Redis, Kafka and the session service are, by what they say. @param {State} state */
export function health({ hearing, store, sidecars }) {
  const { failure, notReady } = hearing;
  const said = (/** @type {RegExp} */ name) => (notReady !== undefined && name.test(notReady) ? notReady : undefined);
  const views = sidecars.filter(({ state }) => state === 'live').flatMap(({ ages }) => ages);
  const youngest = views.length === 0 ? undefined : Math.min(...views);
  const service = failure ?? notReady;
  const kept = `${store.eventsRejected} not understood, ${store.eventsForwarded} in a wrong partition`;
  const items = [
    item('Session service', {
      level: levelOf(service, failure === undefined ? 'bad' : 'unknown'),
      words: service ?? 'ready',
    }),
    told(
      'Kafka',
      said(/kafka|partition|topic/i),
      youngest === undefined ? 'no view' : `youngest view ${duration(youngest)} old`,
    ),
    told('Redis', said(/redis/i), redisWords(store)),
    told('Eviction', store.evicting ? EVICTING : undefined, `${store.evictedKeys ?? 0} keys dropped`),
    item('Events kept aside', { level: store.eventsRejected > 0 ? 'warning' : 'good', words: kept }),
    item('Refresh tokens used twice', {
      level: store.reuseDetected > 0 ? 'warning' : 'good',
      words: `${store.reuseDetected}`,
    }),
  ];
  return html`
    <section aria-labelledby="health-title">
      <h2 id="health-title">Health</h2>
      <dl class="health">${items}</dl>
    </section>
  `;
}

const EVICTING = 'Redis may drop keys: set maxmemory-policy noeviction';

/** @param {State['store']} store */
function redisWords({ usedMemoryBytes, replicationLagS, reconnects, operationMs }) {
  return [
    usedMemoryBytes === undefined ? 'says nothing' : `${(usedMemoryBytes / 1048576).toFixed(1)} MiB`,
    ...(operationMs === undefined ? [] : [`${duration(operationMs)} an operation`]),
    ...(replicationLagS ? [`slowest replica ${duration(replicationLagS * 1000)} behind`] : []),
    ...(reconnects > 0 ? [`${reconnects} reconnects`] : []),
  ].join(', ');
}

/** @param {string | undefined} wrong @param {Level} level @returns {Level} */
const levelOf = (wrong, level) => (wrong === undefined ? 'good' : level);

/** What is wrong, or how it is. @param {string} name @param {string | undefined} wrong @param {string} right */
const told = (name, wrong, right) => item(name, { level: levelOf(wrong, 'bad'), words: wrong ?? right });

/** @param {string} name @param {{ level: Level, words: string }} how */
const item = (name, { level, words }) => html`<div><dt>${icon(level)}${name}</dt><dd>${words}</dd></div>`;
