import { clock } from './words.js';

/**
 * What the page knows.
 *
 * @typedef {import('../src/board.ts').State & { readonly traceUrl?: string }} State
 * @typedef {import('../src/series.ts').Point} Point
 * @typedef {import('@curfew/contracts/reports').RevocationReport} RevocationReport
 * @typedef {Omit<RevocationReport, 'sidecars'>} RevocationSummary
 * @typedef {State['sidecars'][number]} Sidecar
 *
 * @typedef {object} Route
 * @property {string} view the first part of the path
 * @property {string} id the second one; empty where there is none
 * @property {URLSearchParams} query
 *
 * @typedef {object} Model
 * @property {State | undefined} state undefined until the console has answered
 * @property {readonly Point[]} points
 * @property {boolean} connected whether the console answers
 * @property {Route} route
 * @property {import('./look-up.js').LookUp} lookUp what the view has asked for
 */

/** An hour, as the series has it, ms. */
const HISTORY_MS = 3_600_000;

/** Longest silence of a console that is there, ms: it has news once a second. */
const SILENCE_MS = 5000;

/** @type {Omit<Model, 'route' | 'lookUp'>} */
let known = { state: undefined, points: [], connected: false };

/** When the console was last heard, or asked to speak, ms since the epoch. */
let heardAt = 0;

/** What is known; while the console does not answer, nothing of how things stand. */
export function current() {
  const { state, connected } = known;
  return connected || state === undefined ? known : { ...known, state: unheard(state) };
}

const NO_ANSWER = 'The console does not answer';

/** @param {State} state @returns {State} */
const unheard = (state) => ({
  ...state,
  hearing: { ...state.hearing, failure: NO_ANSWER },
  headline: {
    level: 'unknown',
    text: NO_ANSWER,
    details: [
      `What is shown is of ${clock(state.at)} UTC`,
      'Revocations do not need it: npx curfew status says how they stand',
    ],
  },
});

/**
 * Listens to the console, and again whenever it is silent: a connection may be lost, and a process stand still, without
 * a word.
 *
 * @param {() => void} changed
 */
export function listen(changed) {
  let source = connect(changed);
  setInterval(() => {
    // Either way: a clock may be set back.
    if (Math.abs(Date.now() - heardAt) < SILENCE_MS) return;
    source.close();
    source = connect(changed);
    known = { ...known, connected: false };
    changed();
  }, 1000);
}

/** @param {() => void} changed */
function connect(changed) {
  heardAt = Date.now();
  const source = new EventSource('/api/events');
  /** @param {string} name @param {(value: any) => Partial<typeof known>} take */
  const on = (name, take) =>
    source.addEventListener(name, ({ data }) => {
      heardAt = Date.now();
      known = { ...known, connected: true, ...take(JSON.parse(data)) };
      changed();
    });
  on('whole', ({ points, ...state }) => ({ state, points }));
  on('state', (state) => ({ state: { ...known.state, ...state } }));
  on('point', (/** @type {Point} */ point) => ({
    points: [...known.points.filter(({ t }) => t > point.t - HISTORY_MS), point],
  }));
  source.addEventListener('error', () => {
    known = { ...known, connected: false };
    changed();
  });
  return source;
}
