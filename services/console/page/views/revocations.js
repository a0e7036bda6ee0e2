import { html } from '/vendor/lit-html/lit-html.js';
import { failed } from '../parts/failed.js';
import { revocationTable } from '../parts/revocation-table.js';
import { linkTo } from '../router.js';

/** @typedef {import('../model.js').Model} Model */
/** @typedef {import('../model.js').Route} Route */

const LIMIT = '200';

const title = () => 'Revocations';

/** @param {Route} route */
const asks = ({ query }) =>
  `/api/revocations?${new URLSearchParams({ limit: LIMIT, canaries: `${query.get('canaries') === 'true'}` })}`;

/** @param {Model} model */
function body({ state, route, lookUp }) {
  const canaries = route.query.get('canaries') === 'true';
  const toggle = () => {
    location.hash = linkTo(['revocations'], canaries ? {} : { canaries: 'true' });
  };
  return html`
    <h1 tabindex="-1" class="title">Revocations</h1>
    <p class="lead">
      The newest ${LIMIT} of the last day.
      <label class="check"><input type="checkbox" .checked=${canaries} @change=${toggle}> Show canaries</label>
    </p>
    ${failed(lookUp)}
    ${
      lookUp.value === undefined
        ? ''
        : revocationTable(lookUp.value.revocations, { now: state?.at ?? 0, traceUrl: state?.traceUrl })
    }
  `;
}

/** @type {import('../views.js').View} */
export const revocations = { name: 'revocations', title, asks, body };
