import { html, nothing } from '/vendor/lit-html/lit-html.js';
import { linkTo } from '../router.js';
import { timeOf } from './facts.js';

/**
 * What the session service says of a session, as far as it is shown.
 *
 * @typedef {{ sid: string, subject: string, standing: string, tier: string, roles: readonly string[], device?: string,
 *   createdAt: string, lastSeenAt: string, expiresAt: string }} Session
 */

/** @param {readonly Session[]} sessions @param {number} now */
export const sessionTable = (sessions, now) => html`
  <div class="scroll" tabindex="0" role="group" aria-label="Sessions">
    <table>
      <thead>
        <tr>
          <th scope="col">Session</th>
          <th scope="col">Standing</th>
          <th scope="col">Device</th>
          <th scope="col">Roles</th>
          <th scope="col">Began</th>
          <th scope="col">Last seen</th>
          <th scope="col">Ends at the latest</th>
        </tr>
      </thead>
      <tbody>
        ${sessions.map(
          (session) => html`<tr>
            <th scope="row"><a class="id" href=${linkTo(['sessions', session.sid])}>${session.sid}</a></th>
            <td>${session.standing}</td>
            <td>${session.device ?? ''}</td>
            <td>${session.roles?.join(', ')}</td>
            <td>${timeOf(session.createdAt, now)}</td>
            <td>${timeOf(session.lastSeenAt, now)}</td>
            <td>${timeOf(session.expiresAt, now)}</td>
          </tr>`,
        )}
        ${sessions.length === 0 ? html`<tr><td colspan="7" class="quiet">No session is open.</td></tr>` : nothing}
      </tbody>
    </table>
  </div>
`;
