import { html } from '/vendor/lit-html/lit-html.js';

const title = () => 'No such view';
const body = () => html`
  <h1 tabindex="-1" class="title">There is no such view</h1>
  <p class="lead"><a href="#/">Overview</a></p>
`;

/** @type {import('../views.js').View} */
export const unknown = { name: 'unknown', title, body };
