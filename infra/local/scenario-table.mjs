import { formatTable } from './table.mjs';

/** The services whose rejections are measured, each a column. */
const SERVICES = /** @type {const} */ (['orders', 'payments']);

/**
 * The scenario's outcome as people look at it; what failed is said under the table.
 *
 * @param {readonly import('./scenario.mjs').PlayedStep[]} steps
 * @param {import('./paint.mjs').Paint} paint
 * @returns {string}
 */
export function scenarioTable(steps, paint) {
  const rows = steps.map(({ title, expected, seen, failure }) => [
    failure === undefined ? paint.green('✓') : paint.red('✗'),
    title,
    failure === undefined ? expected : paint.red(expected),
    ...SERVICES.map((service) => cellOf(seen[service], paint)),
  ]);
  const table = formatTable(
    [
      { title: ' ' },
      { title: 'step' },
      { title: 'answer' },
      ...SERVICES.map((title) => ({ title, align: /** @type {const} */ ('right') })),
    ],
    rows,
  );
  const failures = steps.filter(({ failure }) => failure !== undefined);
  return [
    table,
    '',
    paint.dim("ms: from the bus's acknowledgement of the event to the first rejection, as a client sees it that polls"),
    paint.dim('without a pause; of several sessions, the slowest. Rejected before the acknowledgement: <0.1 ms.'),
    ...failures.map(({ title, failure }) => `${paint.red('✗')} ${title}: ${failure}`),
  ].join('\n');
}

/** @param {string | number} seen @param {import('./paint.mjs').Paint} paint */
function cellOf(seen, paint) {
  if (typeof seen === 'string') return paint.dim(seen);
  return paint.bold(seen < 0.1 ? '<0.1 ms' : `${seen.toFixed(1)} ms`);
}
