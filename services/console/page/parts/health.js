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
  return html`
    <section aria-labelledby="health-title">
      <h2 id="health-title">Health</h2>
      <dl class="health">
        ${item('Session service', failure ?? notReady, failure === undefined ? 'ready' : '', failure === undefined ? 'bad' : 'unknown')}
        ${item('Kafka', said(/kafka|partition|topic/i), youngest === undefined ? 'no view to tell by' : `youngest view ${duration(youngest)} old`)}
        ${item('Redis', said(/redis/i), redisWords(store))}
        ${item('Eviction', store.evicting ? 'Redis may drop keys: set maxmemory-policy noeviction' : undefined, `${store.evictedKeys ?? 0} keys dropped`)}
        ${item('Events kept aside', undefined, `${store.eventsRejected} not understood, ${store.eventsForwarded} in a wrong partition`, 'bad', store.eventsRejected > 0)}
        ${item('Refresh tokens used twice', undefined, `${store.reuseDetected}`, 'bad', store.reuseDetected > 0)}
      </dl>
    </section>
  `;
}

/** @param {State['store']} store */
function redisWords({ usedMemoryBytes, replicationLagS, reconnects, operationMs }) {
  return [
    usedMemoryBytes === undefined ? 'says nothing' : `${(usedMemoryBytes / 1048576).toFixed(1)} MiB`,
    ...(operationMs === undefined ? [] : [`${duration(operationMs)} an operation`]),
    ...(replicationLagS ? [`slowest replica ${duration(replicationLagS * 1000)} behind`] : []),
    ...(reconnects > 0 ? [`${reconnects} reconnects`] : []),
  ].join(', ');
}

/** @param {string} name @param {string | undefined} wrong @param {string} right @param {Level} [level] @param {boolean} [notable] */
function item(name, wrong, right, level = 'bad', notable = false) {
  const shown = wrong === undefined ? (notable ? 'warning' : 'good') : level;
  return html`<div><dt>${icon(shown)}${name}</dt><dd>${wrong ?? right}</dd></div>`;
}
