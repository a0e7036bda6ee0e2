import { render } from '/vendor/lit-html/lit-html.js';
import { frame } from './frame.js';
import { lookedUp, lookUp } from './look-up.js';
import { current, listen } from './model.js';
import { currentRoute } from './router.js';
import { listenToKeys } from './shortcuts.js';
import { viewOf } from './views.js';

const app = /** @type {HTMLElement} */ (document.querySelector('#app'));
const spoken = /** @type {HTMLElement} */ (document.querySelector('#spoken'));
app.replaceChildren();

let route = currentRoute();
let drawn = false;

/** Draws what is known; what has not changed is left alone, and keeps its focus. */
function draw() {
  const view = viewOf(route);
  // First, so that no view is given what another one asked for.
  void lookUp(view.asks?.(route), draw);
  const model = { ...current(), route, lookUp: lookedUp() };
  render(frame(model, view, draw), app);
  const headline = model.state?.headline.text ?? '';
  document.title = [view.title(model), view.name === 'overview' ? '' : headline, 'Curfew'].filter(Boolean).join(' · ');
  // Said once, when it becomes another.
  if (spoken.textContent !== headline && drawn) spoken.textContent = headline;
  drawn ||= model.state !== undefined;
}

addEventListener('hashchange', () => {
  if (location.hash === '#main') return;
  route = currentRoute();
  draw();
  scrollTo(0, 0);
  /** @type {HTMLElement | null} */ (document.querySelector('h1'))?.focus();
});
listenToKeys(draw);
listen(draw);
draw();
// What a view asks for is asked anew while the console is silent, too.
setInterval(draw, 1000);
