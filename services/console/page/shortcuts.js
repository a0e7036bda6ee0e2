import { toggleTheme } from './theme-choice.js';

/** What a key does: the letters after `g` go somewhere. */
export const SHORTCUTS = [
  ['/', 'search'],
  ['g o', 'overview'],
  ['g f', 'fleet'],
  ['g r', 'revocations'],
  ['n', 'revoke'],
  ['t', 'dark or light'],
  ['?', 'these shortcuts'],
];

/** @type {Readonly<Record<string, string>>} */
const PLACES = { o: '#/', f: '#/fleet', r: '#/revocations' };

/** Single letters can be in somebody's way, a speech recogniser's for one (WCAG 2.1.4). */
export const shortcutsAreOn = () => localStorage.getItem('shortcuts') !== 'off';
/** @param {boolean} on */
export const switchShortcuts = (on) => localStorage.setItem('shortcuts', on ? 'on' : 'off');

export const dialog = () => /** @type {HTMLDialogElement | null} */ (document.querySelector('#shortcuts'));

/** @param {() => void} draw */
export function listenToKeys(draw) {
  let going = false;
  addEventListener('keydown', (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const writes = target.matches('input, textarea, select') || event.ctrlKey || event.metaKey || event.altKey;
    if (writes || !shortcutsAreOn() || dialog()?.open) return;
    const place = going ? PLACES[event.key] : undefined;
    going = event.key === 'g';
    if (place !== undefined) location.hash = place;
    else if (event.key === 'n') location.hash = '#/revoke';
    else if (event.key === '/') document.querySelector('input')?.focus();
    else if (event.key === 't') toggleTheme();
    else if (event.key === '?') dialog()?.showModal();
    else return;
    event.preventDefault();
    draw();
  });
}
