import { inWords, request } from './http-client.mjs';
import { expectAnswer, measureRejections } from './rejections.mjs';

/**
 * A session that somebody has in the scenario; by a cookie it has neither token.
 *
 * @typedef {object} Session
 * @property {string} sid
 * @property {import('./http-client.mjs').Credential} user
 * @property {string} refreshToken
 */

/** Where the bus acknowledged an event. @typedef {{ partition: number, offset: number }} Place */

/** @typedef {Readonly<Record<string, unknown>>} Body */

/** @typedef {ReturnType<typeof createActors>} Actors */

/**
 * What people, their identity system and a thief do in the scenario.
 *
 * @param {object} options
 * @param {Readonly<Record<'sessionService' | 'identityPublisher' | 'orders' | 'payments', string>>} options.urls
 * @param {((person: string) => string) | undefined} [options.subjectOf]
 * @param {number} [options.limitMs]
 */
export function createActors({ urls, subjectOf = (person) => person, limitMs = 5000 }) {
  /** @type {Map<string, Session>} */
  const sessions = new Map();

  /** @param {string} name @returns {Session} */
  const sessionOf = (name) => {
    const session = sessions.get(name);
    if (session === undefined) throw new Error('a step before this one did not sign in');
    return session;
  };
  /** @param {Session} session */
  const targetsOf = ({ user }) => [
    { service: 'orders', url: `${urls.orders}/orders`, user },
    { service: 'payments', url: `${urls.payments}/payments`, user },
  ];
  /** @param {string} path @param {Omit<NonNullable<Parameters<typeof request>[1]>, 'as'>} [options] */
  const asLogin = (path, options) => request(`${urls.sessionService}${path}`, { as: 'login', ...options });

  /**
   * As an identity system does it: the version is read before the credential is checked, and a sign-in behind an event
   * names the event.
   *
   * @param {string} subject @param {object} about @param {Place} [after]
   */
  const signIn = async (subject, about, after) => {
    const version = after ? undefined : await asLogin(`/v1/subjects/${subject}/version`);
    const order = version ? { asOfVersion: version.body?.['current'] } : { after };
    return asLogin('/v1/sessions', { method: 'POST', body: { subject, roles: ['user'], ...about, ...order } });
  };

  return {
    urls,
    subjectOf,
    sessions,
    sessionOf,
    targetsOf,
    asLogin,
    signIn,
    /** @param {string} name of the session @param {string} subject @param {object} [about] @param {Place} [after] */
    signedIn: async (name, subject, about = {}, after = undefined) => {
      sessions.set(name, sessionIn(expected(201, await signIn(subject, about, after))));
    },
    /** @param {string} refreshToken @returns {ReturnType<typeof request>} */
    refresh: (refreshToken) =>
      request(`${urls.sessionService}/v1/sessions/refresh`, { method: 'POST', body: { refreshToken } }),
    /** @param {string} route @param {object} body @returns {() => Promise<Place>} */
    event: (route, body) => async () =>
      placeOf(
        expected(202, await request(`${urls.identityPublisher}/v1/${route}`, { method: 'POST', as: 'identity', body })),
      ),
    /** @param {string[]} names */
    accepted: async (...names) => {
      for (const target of names.flatMap((name) => targetsOf(sessionOf(name)))) await expectAnswer(target, '200');
      return { orders: '200', payments: '200' };
    },
    /** @param {string[]} names @param {string} rejection @param {() => Promise<unknown>} happens */
    rejected: (names, rejection, happens) =>
      measureRejections({
        targets: names.flatMap((name) => targetsOf(sessionOf(name))),
        expected: rejection,
        event: happens,
        limitMs,
      }),
  };
}

/** @param {Body} published @returns {Place} */
const placeOf = ({ partition, offset }) => ({ partition: Number(partition), offset: Number(offset) });

/** @param {Body} made @returns {Session} */
export const sessionIn = ({ sid, accessToken, refreshToken, cookie }) => ({
  sid: `${sid}`,
  user: cookie === undefined ? { token: `${accessToken}` } : { cookie: `${cookie}` },
  refreshToken: `${refreshToken}`,
});

/**
 * @param {number} status
 * @param {import('./http-client.mjs').Answer} answer
 * @returns {Body} what it holds
 */
export function expected(status, answer) {
  if (answer.status !== status) throw new Error(`the answer is ${inWords(answer)}, not ${status}`);
  return answer.body ?? {};
}
