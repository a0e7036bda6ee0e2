import uPlot from '/vendor/uplot/uPlot.esm.js';
import { clock } from '../words.js';

/**
 * A line of a chart.
 *
 * @typedef {object} Line
 * @property {string} label
 * @property {string} colour the name of a custom property
 * @property {number} width px
 * @property {number[]} [dash]
 */

/** How the values of a chart are spread and written. @typedef {import('./scales.js').Scale} Scale */

const HEIGHT = 190;

/**
 * A chart over the last hour: `<time-chart>` with the properties `lines`, `scale` and `values` (uPlot's columns, times
 * first, seconds). It is made anew where the theme changes. What it shows is told in words beside it.
 */
class TimeChart extends HTMLElement {
  /** @type {uPlot | undefined} */
  #plot;
  /** @type {uPlot.AlignedData} */
  #values = [[]];
  #resized = new ResizeObserver(() => this.#plot?.setSize(this.#size()));
  #draw = () => this.#create();

  /** @type {readonly Line[]} */
  lines = [];
  /** @type {Scale | undefined} */
  scale;

  /** @param {uPlot.AlignedData} values */
  set values(values) {
    if (values === this.#values) return;
    this.#values = values;
    this.#plot?.setData(values);
    this.#tellLatest();
  }

  connectedCallback() {
    this.setAttribute('aria-hidden', 'true');
    this.#create();
    this.#resized.observe(this);
    addEventListener('themechange', this.#draw);
  }

  disconnectedCallback() {
    removeEventListener('themechange', this.#draw);
    this.#resized.disconnect();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #size() {
    return { width: Math.max(200, this.clientWidth), height: HEIGHT };
  }

  /** A colour of the theme as a canvas takes it. @param {string} name */
  #colour(name) {
    this.style.color = `var(--${name})`;
    const { color } = getComputedStyle(this);
    this.style.color = '';
    return color;
  }

  /** The legend tells the newest values, unless somebody points at others. */
  #tellLatest() {
    const plot = this.#plot;
    if (plot && plot.cursor.idx == null && this.#values[0].length > 0)
      plot.setLegend({ idx: this.#values[0].length - 1 });
  }

  #create() {
    const { scale } = this;
    if (scale === undefined) return;
    this.#plot?.destroy();
    const axis = {
      stroke: this.#colour('muted'),
      grid: { stroke: this.#colour('rule'), width: 1 },
      ticks: { show: false },
      font: '11px "Inter Variable", sans-serif',
    };
    const colours = this.lines.map(({ colour }) => this.#colour(colour));
    const timeOfDay = (/** @type {number} */ t) => clock(t * 1000).slice(0, 5);
    this.#plot = new uPlot(
      {
        ...this.#size(),
        cursor: { y: false },
        hooks: { setCursor: [() => this.#tellLatest()] },
        legend: { markers: { width: 0, fill: (_plot, at) => colours[at - 1] ?? '' } },
        scales: { x: { range: hour }, y: scale.range },
        axes: [
          { ...axis, space: 70, values: (_plot, splits) => splits.map(timeOfDay) },
          { ...axis, ...scale.axis, size: 50, values: (_plot, splits) => splits.map(scale.inWords) },
        ],
        series: [
          { label: 'at', value: (_plot, t) => (Number.isFinite(t) ? clock(t * 1000) : '–') },
          ...this.lines.map(({ label, width, dash }, at) => ({
            label,
            width,
            ...(dash === undefined ? {} : { dash }),
            stroke: colours[at] ?? '',
            points: { show: false },
            value: (/** @type {uPlot} */ _plot, /** @type {number | null} */ value) => scale.inWords(value),
          })),
        ],
      },
      this.#values,
      this,
    );
    this.#tellLatest();
  }
}

/** What is known of the last hour, and ten minutes at the least. @type {uPlot.Range.Function} */
const hour = (_plot, first, last) => {
  const end = last ?? Date.now() / 1000;
  return [Math.max(end - 3600, Math.min(first ?? end, end - 600)), end];
};

customElements.define('time-chart', TimeChart);
