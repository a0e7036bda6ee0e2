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

/** @type {Omit<Model, 'route' | 'lookUp'>} */
let known = { state: undefined, points: [], connected: false };

export const current = () => known;

/**
 * Listens to the console, and again whenever the connection was lost.
 *
 * @param {() => void} changed
 */
export function listen(changed) {
  const source = new EventSource('/api/events');
  /** @param {string} name @param {(value: any) => Partial<typeof known>} take */
  const on = (name, take) =>
    source.addEventListener(name, ({ data }) => {
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
    // A browser gives up for good where the answer is no stream; a console that is started again is there soon.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(changed), 2000);
  });
}
