/**
 * How values are spread over the height of a chart, and how they are written.
 *
 * @typedef {object} Scale
 * @property {import('/vendor/uplot/uPlot.esm.js').Scale} range
 * @property {import('/vendor/uplot/uPlot.esm.js').Axis} axis
 * @property {(value: number | null | undefined) => string} inWords
 */

/** Times from half a millisecond on, by powers of ten: what is usual and the bound are both seen. @type {Scale} */
export const TIMES = {
  range: { distr: 3, range: (_plot, _least, most) => [0.5, Math.max(10, (most ?? 0) * 1.6)] },
  axis: { splits: (_plot, _axis, _least, most) => [1, 10, 100, 1000, 10_000, 100_000].filter((split) => split < most) },
  inWords: (ms) => {
    if (ms === null || ms === undefined) return '–';
    return ms < 1000 ? `${Number(ms.toPrecision(3))} ms` : `${Number((ms / 1000).toPrecision(3))} s`;
  },
};

/** Whole numbers from nought on. @type {Scale} */
export const COUNTS = {
  range: { range: (_plot, _least, most) => [0, Math.max(4, (most ?? 0) * 1.15)] },
  axis: { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000] },
  inWords: (number) => `${number ?? '–'}`,
};
