import { html, svg } from '/vendor/lit-html/lit-html.js';

/** Each shape is another, so that none is told by its colour alone. */
const SHAPES = {
  good: svg`<circle cx="12" cy="12" r="10"/><path class="mark" d="M7 12.5l3.4 3.4L17 9"/>`,
  warning: svg`<path d="M12 2.2 23 21.5H1z"/><path class="mark" d="M12 9v6m0 2.4v.2"/>`,
  bad: svg`<path d="M7.6 1.8h8.8l5.8 5.8v8.8l-5.8 5.8H7.6l-5.8-5.8V7.6z"/>
    <path class="mark" d="M8.5 8.5l7 7m0-7-7 7"/>`,
  unknown: svg`<rect x="2" y="2" width="20" height="20" rx="5"/>
    <path class="mark" d="M9 9.3a3 3 0 1 1 4.2 2.9c-.9.4-1.2 1-1.2 2m0 2.6v.2"/>`,
};

/** @typedef {keyof typeof SHAPES} Level */

/** The sign of a level; the words beside it say the same. @param {Level} level */
export const icon = (level) =>
  html`<svg class="icon ${level}" viewBox="0 0 24 24" aria-hidden="true">${SHAPES[level]}</svg>`;

/** @type {Readonly<Record<string, Level>>} */
const LEVELS = {
  live: 'good',
  starting: 'warning',
  behind: 'warning',
  'cut-off': 'bad',
  silent: 'bad',
  gone: 'unknown',
  closed: 'unknown',
};

/** A sidecar's state, as sign and word. @param {string} state */
export const stateOf = (state) => html`<span class="state">${icon(LEVELS[state] ?? 'unknown')}${state}</span>`;
