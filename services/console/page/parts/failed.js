import { html, nothing } from '/vendor/lit-html/lit-html.js';
import { icon } from '../icons.js';

/**
 * Why something that was asked for is not there, or not as new as it looks.
 *
 * @param {import('../look-up.js').LookUp} lookUp
 */
export const failed = ({ value, failure }) =>
  failure === undefined
    ? nothing
    : html`<p class="note" role="alert">
        ${icon('unknown')}${failure}${value === undefined ? '' : ' What is shown is older.'}</p>`;
