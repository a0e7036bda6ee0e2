import './time-chart.js';
import { html } from '/vendor/lit-html/lit-html.js';
import { clock, count, duration } from '../words.js';
import { COUNTS, TIMES } from './scales.js';

/** @typedef {import('../model.js').Model} Model */
/** @typedef {import('../model.js').Point} Point */

const PROPAGATION = [
  { label: 'p50', colour: 'line-1', width: 1.25 },
  { label: 'p99', colour: 'line-2', width: 2 },
  { label: 'p99.9', colour: 'line-3', width: 1.25, dash: [2, 3] },
  { label: 'bound', colour: 'bad', width: 1.25, dash: [8, 5] },
];

const SESSIONS = [
  { label: 'sign-ins', colour: 'kind-1', width: 1.75 },
  { label: 'renewals', colour: 'kind-2', width: 1.75, dash: [6, 3] },
  { label: 'ends', colour: 'kind-3', width: 1.75, dash: [2, 2] },
];

/** Columns are made once for each series of points, so that a chart is drawn no oftener than there is news. */
const columnsOf = (/** @type {(points: readonly Point[], boundMs: number) => (number | null)[][]} */ make) => {
  /** @type {readonly unknown[]} */
  let from = [];
  /** @type {(number | null)[][]} */
  let columns = [[]];
  return (/** @type {readonly Point[]} */ points, /** @type {number} */ boundMs) => {
    if (from[0] === points && from[1] === boundMs) return columns;
    from = [points, boundMs];
    columns = make(points, boundMs);
    return columns;
  };
};

const seconds = (/** @type {readonly Point[]} */ points) => points.map(({ t }) => t / 1000);
const propagationColumns = columnsOf((points, boundMs) => [
  seconds(points),
  // A scale of logarithms has no nought; less than half a millisecond is all the same.
  .../** @type {const} */ (['p50', 'p99', 'p999']).map((name) =>
    points.map((point) => (point[name] === null ? null : Math.max(0.5, point[name]))),
  ),
  points.map(() => boundMs || null),
]);
const endsOf = (/** @type {Point} */ { ended }) =>
  ended === null ? null : Object.values(ended).reduce((sum, number) => sum + number, 0);
const sessionColumns = columnsOf((points) => [
  seconds(points),
  points.map(({ created }) => created),
  points.map(({ renewed }) => renewed),
  points.map(endsOf),
]);

/** From acknowledgement to application, over the last hour, against the bound. @param {Model} model */
export function propagationChart({ points, state }) {
  const boundMs = state?.boundMs ?? 0;
  const worst = points.reduce(
    (/** @type {Point | undefined} */ most, point) => ((point.p99 ?? -1) > (most?.p99 ?? -1) ? point : most),
    undefined,
  );
  const { p50, p99, p999, count: measured } = state?.propagation ?? { count: 0 };
  const ms = (/** @type {number | undefined} */ value) => (value === undefined ? '–' : duration(value));
  return html`<figure aria-labelledby="propagation-title" aria-describedby="propagation-words">
    <h2 id="propagation-title">Propagation</h2>
    <time-chart .lines=${PROPAGATION} .scale=${TIMES} .values=${propagationColumns(points, boundMs)}></time-chart>
    <figcaption id="propagation-words">
      Acknowledged to applied, over five minutes: p50 ${ms(p50)}, p99 ${ms(p99)}, p99.9 ${ms(p999)}, of
      ${count(measured, 'measurement')}.
      ${worst?.p99 == null ? '' : `Highest p99 in the last hour: ${duration(worst.p99)} at ${clock(worst.t)}.`}
      ${boundMs > 0 ? `The bound is ${duration(boundMs)}.` : ''}
    </figcaption>
  </figure>`;
}

/** Sign-ins, renewals and ends, over the last hour. @param {Model} model */
export function sessionsChart({ points, state }) {
  const sum = (/** @type {(point: Point) => number | null} */ of) =>
    points.reduce((total, point) => total + (of(point) ?? 0), 0);
  const reasons = Object.entries(state?.endsByReason ?? {}).toSorted(([, a], [, b]) => b - a);
  return html`<figure aria-labelledby="sessions-title" aria-describedby="sessions-words">
    <h2 id="sessions-title">Sessions</h2>
    <time-chart .lines=${SESSIONS} .scale=${COUNTS} .values=${sessionColumns(points, 0)}></time-chart>
    <figcaption id="sessions-words">
      In the last hour, as far as this console watched: ${count(
        sum(({ created }) => created),
        'sign-in',
      )},
      ${count(
        sum(({ renewed }) => renewed),
        'renewal',
      )}, ${count(sum(endsOf), 'end')}${
        reasons.length === 0 ? '' : ` (${reasons.map(([reason, number]) => `${number} ${reason}`).join(', ')})`
      }. Each point is five seconds.
    </figcaption>
  </figure>`;
}
