import { authorizationOf } from './clients.mjs';

/** What shows a user's session: an access token, or the value of its cookie. @typedef {{ token: string } | { cookie: string }} Credential */

/**
 * An answer as the scenario looks at it.
 *
 * @typedef {object} Answer
 * @property {number} status
 * @property {Readonly<Record<string, unknown>> | undefined} body parsed JSON, an object; undefined where there is none
 * @property {string | undefined} code of a problem (RFC 9457); undefined unless it came as problem+json
 */

/** How long one request may take, ms. */
const REQUEST_LIMIT_MS = 5000;

/**
 * One request over a connection that is kept.
 *
 * @param {string} url
 * @param {object} [options]
 * @param {string} [options.method]
 * @param {import('./clients.mjs').LocalClient | undefined} [options.as] the client that makes it
 * @param {Credential | undefined} [options.user] or the user, by their session
 * @param {unknown} [options.body]
 * @param {AbortSignal | undefined} [options.signal]
 * @returns {Promise<Answer>}
 */
export async function request(url, { method = 'GET', as, user, body, signal } = {}) {
  const timeout = AbortSignal.timeout(REQUEST_LIMIT_MS);
  const response = await fetch(url, {
    method,
    headers: {
      ...(as === undefined ? {} : { authorization: authorizationOf(as) }),
      ...(user === undefined ? {} : shown(user)),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: signal ?? timeout,
  });
  const text = await response.text();
  const json = /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined;
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  return { status: response.status, body: json, code: isProblem ? `${json?.code}` : undefined };
}

/** An answer in words, as `401 session_revoked`. @param {Answer} answer */
export const inWords = ({ status, code }) => (code === undefined ? `${status}` : `${status} ${code}`);

/**
 * As a browser shows a cookie to the site that it is of.
 *
 * @param {Credential} user
 * @returns {Record<string, string>}
 */
const shown = (user) =>
  'token' in user
    ? { authorization: `Bearer ${user.token}` }
    : { cookie: `__Host-session=${user.cookie}`, 'sec-fetch-site': 'same-origin' };
