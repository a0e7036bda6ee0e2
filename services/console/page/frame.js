import { html, nothing } from '/vendor/lit-html/lit-html.js';
import { icon } from './icons.js';
import { linkTo } from './router.js';
import { dialog, SHORTCUTS, shortcutsAreOn, switchShortcuts } from './shortcuts.js';
import { isDark, toggleTheme } from './theme-choice.js';
import { clock } from './words.js';

const VIEWS = [
  ['overview', '#/', 'Overview'],
  ['fleet', '#/fleet', 'Fleet'],
  ['revocations', '#/revocations', 'Revocations'],
  ['revoke', '#/revoke', 'Revoke'],
];

/**
 * What is around every view: where one is, how things stand, and how to get elsewhere.
 *
 * @param {import('./model.js').Model} model
 * @param {import('./views.js').View} view
 * @param {() => void} draw
 */
export const frame = (model, view, draw) => html`
  <header>
  <div class="bar">
    <a class="brand" href="#/"><img src="icon.svg" alt="" width="22" height="22">Curfew</a>
    <nav aria-label="Views">
      ${VIEWS.map(
        ([name, href, text]) => html`<a href=${href} aria-current=${name === view.name ? 'page' : 'false'}>${text}</a>`,
      )}
    </nav>
    <form class="search" role="search" @submit=${search}>
      <input type="search" name="q" required maxlength="256" autocomplete="off" spellcheck="false"
        aria-label="Search by event id, subject or session" placeholder="Event, subject or session">
      <kbd aria-hidden="true">/</kbd>
    </form>
    <button class="quiet" type="button" @click=${() => {
      toggleTheme();
      draw();
    }}>
      ${isDark() ? 'Light' : 'Dark'}
    </button>
    <button class="quiet roomy" type="button" aria-label="Keyboard shortcuts"
      @click=${() => dialog()?.showModal()}>?</button>
  </div>
  ${view.name === 'overview' ? nothing : strip(model)}
  </header>
  <main id="main" tabindex="-1">${model.state === undefined ? starting() : view.body(model, draw)}</main>
  <footer>
    <span>${model.state === undefined ? '' : `${clock(model.state.at)} UTC`}</span>
    <span>${model.connected ? 'Live' : 'Not connected'}</span>
  </footer>
  ${shortcuts()}
`;

/** How things stand, on every view but the one that says more. @param {import('./model.js').Model} model */
function strip({ state }) {
  if (state === undefined) return nothing;
  const { level, text, details } = state.headline;
  const words = level === 'unknown' ? [text, ...details.slice(0, 1)].join('. ') : text;
  return html`<a class="strip ${level}" href="#/">${icon(level)}${words}</a>`;
}

const starting = () => html`<h1 tabindex="-1" class="title">Asking the console…</h1>`;

/** @param {SubmitEvent} event */
function search(event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  location.hash = linkTo(['search'], { q: `${new FormData(form).get('q')}`.trim() });
  form.reset();
}

const shortcuts = () => html`
  <dialog id="shortcuts" aria-labelledby="shortcuts-title">
    <h2 id="shortcuts-title">Keyboard shortcuts</h2>
    <dl>
      ${SHORTCUTS.map(
        ([keys = '', does]) => html`<div>
        <dt>${keys.split(' ').map((key) => html`<kbd>${key}</kbd> `)}</dt>
        <dd>${does}</dd>
      </div>`,
      )}
    </dl>
    <label class="check">
      <input type="checkbox" .checked=${shortcutsAreOn()}
        @change=${(/** @type {Event} */ { target }) =>
          switchShortcuts(/** @type {HTMLInputElement} */ (target).checked)}>
      Single keys are shortcuts
    </label>
    <form method="dialog"><button>Close</button></form>
  </dialog>
`;
