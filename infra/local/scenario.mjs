import { inWords, request } from './http-client.mjs';
import { expectAnswer, measureRejections } from './rejections.mjs';

/**
 * A step that was played.
 *
 * @typedef {object} PlayedStep
 * @property {string} title
 * @property {string} expected the answers that it should bring, in words
 * @property {Readonly<Record<'orders' | 'payments', string | number>>} seen per service: an answer, or the ms from the
 *   bus's acknowledgement to the first rejection; empty where the step does not call it
 * @property {string | undefined} failure in words; undefined where the step passed
 */

/**
 * @typedef {object} Session
 * @property {string} sid
 * @property {string} accessToken
 * @property {string} refreshToken
 */

/** Where the bus acknowledged an event. @typedef {{ partition: number, offset: number }} Place */

/** @typedef {{ title: string, expected: string, play: () => Promise<Record<string, string | number>> }} Step */

/**
 * Plays what Curfew is for, as a client over HTTP: passwords change, accounts are disabled, roles are lost, people log
 * out, and two services reject the sessions that end.
 *
 * @param {object} options
 * @param {Readonly<Record<'sessionService' | 'identityPublisher' | 'orders' | 'payments', string>>} options.urls
 * @param {((person: string) => string) | undefined} [options.subjectOf] the accounts' names; default: as they are
 * @param {number} [options.limitMs] how long an effect may take before its step fails; default 5000
 * @param {(title: string, play: () => Promise<PlayedStep>) => Promise<PlayedStep>} [options.around] to show the progress
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<PlayedStep[]>} every step, those after a failed one too
 */
export async function playScenario({ around = (_title, play) => play(), signal, ...options }) {
  const played = [];
  for (const step of stepsOf(options)) {
    signal?.throwIfAborted();
    played.push(await around(step.title, () => outcomeOf(step)));
  }
  return played;
}

/** @param {Step} step @returns {Promise<PlayedStep>} */
async function outcomeOf({ title, expected, play }) {
  try {
    return { title, expected, seen: { orders: '', payments: '', ...(await play()) }, failure: undefined };
  } catch (error) {
    return { title, expected, seen: { orders: '', payments: '' }, failure: /** @type {Error} */ (error).message };
  }
}

/**
 * @param {Pick<Parameters<typeof playScenario>[0], 'urls' | 'subjectOf' | 'limitMs'>} options
 * @returns {Step[]}
 */
function stepsOf({ urls, subjectOf = (person) => person, limitMs = 5000 }) {
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map(subjectOf);
  /** @type {Record<'laptop' | 'phone' | 'bob' | 'carol', Session | undefined>} */
  const sessions = { laptop: undefined, phone: undefined, bob: undefined, carol: undefined };

  /** @param {keyof typeof sessions} name @returns {Session} */
  const sessionOf = (name) => {
    const session = sessions[name];
    if (session === undefined) throw new Error('a step before this one did not sign in');
    return session;
  };
  /**
   * As an identity system does it: the version is read before the credential is checked, and a sign-in behind an event
   * names the event.
   *
   * @param {unknown} subject @param {string} device @param {string[]} roles @param {Place} [after]
   */
  const signIn = async (subject, device, roles, after) => {
    const version = after
      ? undefined
      : await request(`${urls.sessionService}/v1/subjects/${subject}/version`, { as: 'login' });
    const order = version ? { asOfVersion: version.body?.['current'] } : { after };
    const body = { subject, roles, client: { device }, ...order };
    return request(`${urls.sessionService}/v1/sessions`, { method: 'POST', as: 'login', body });
  };
  /** @param {unknown} subject @param {string} device @param {string[]} [roles] @param {Place} [after] @returns {Promise<Session>} */
  const signedIn = async (subject, device, roles = ['user'], after = undefined) =>
    sessionIn(expected(201, await signIn(subject, device, roles, after)));

  /** @param {string} route @param {object} body */
  const event = (route, body) => async () =>
    placeOf(
      expected(202, await request(`${urls.identityPublisher}/v1/${route}`, { method: 'POST', as: 'identity', body })),
    );

  /** @param {Session} session */
  const targetsOf = ({ accessToken: token }) => [
    { service: 'orders', url: `${urls.orders}/orders`, token },
    { service: 'payments', url: `${urls.payments}/payments`, token },
  ];
  /** @param {(keyof typeof sessions)[]} names */
  const accepted = async (...names) => {
    for (const target of names.flatMap((name) => targetsOf(sessionOf(name)))) await expectAnswer(target, '200');
    return { orders: '200', payments: '200' };
  };
  /** @param {(keyof typeof sessions)[]} names @param {string} rejection @param {() => Promise<unknown>} happens */
  const rejected = (names, rejection, happens) =>
    measureRejections({
      targets: names.flatMap((name) => targetsOf(sessionOf(name))),
      expected: rejection,
      event: happens,
      limitMs,
    });

  return [
    {
      title: 'alice (twice), bob and carol sign in',
      expected: '200',
      play: async () => {
        sessions.laptop = await signedIn(alice, 'laptop');
        sessions.phone = await signedIn(alice, 'phone');
        sessions.bob = await signedIn(bob, 'laptop');
        sessions.carol = await signedIn(carol, 'laptop', ['user', 'admin']);
        return accepted('laptop', 'phone', 'bob', 'carol');
      },
    },
    {
      title: "alice's order, which orders has payments take",
      expected: '201',
      play: async () => {
        const { accessToken: token } = sessionOf('laptop');
        expected(201, await request(`${urls.orders}/orders`, { method: 'POST', token }));
        return { orders: '201', payments: '201' };
      },
    },
    {
      title: "alice's password changes: both her sessions end",
      expected: '401 session_revoked',
      play: () => rejected(['laptop', 'phone'], '401 session_revoked', event('password-changed', { subject: alice })),
    },
    {
      title: 'and again; she signs in right behind the change, twice',
      expected: '200',
      play: async () => {
        const changed = await event('password-changed', { subject: alice })();
        sessions.laptop = await signedIn(alice, 'laptop', ['user'], changed);
        sessions.phone = await signedIn(alice, 'phone', ['user'], changed);
        return accepted('laptop', 'phone');
      },
    },
    {
      title: 'bob is disabled',
      expected: '401 session_revoked',
      play: () => rejected(['bob'], '401 session_revoked', event('account-disabled', { subject: bob })),
    },
    {
      title: 'bob cannot sign in',
      expected: '403 account_disabled',
      play: async () => {
        const answer = inWords(await signIn(bob, 'laptop', ['user']));
        if (answer !== '403 account_disabled') throw new Error(`the sign-in is answered with ${answer}`);
        return {};
      },
    },
    {
      title: 'bob is enabled and signs in',
      expected: '200',
      play: async () => {
        const enabled = await event('account-enabled', { subject: bob })();
        sessions.bob = await signedIn(bob, 'laptop', ['user'], enabled);
        return accepted('bob');
      },
    },
    {
      title: 'carol loses the role admin: her session must renew',
      expected: '401 session_stale',
      play: () => rejected(['carol'], '401 session_stale', event('roles-changed', { subject: carol, roles: ['user'] })),
    },
    {
      title: 'carol refreshes: 200, without the role',
      expected: '200',
      play: async () => {
        const { refreshToken } = sessionOf('carol');
        const url = `${urls.sessionService}/v1/sessions/refresh`;
        const session = sessionIn(expected(200, await request(url, { method: 'POST', body: { refreshToken } })));
        sessions.carol = session;
        for (const target of targetsOf(session)) {
          const { body } = await expectAnswer(target, '200');
          if (`${body?.['roles']}` !== 'user')
            throw new Error(`${target.service} sees the roles ${body?.['roles']}, not user`);
        }
        return { orders: '200', payments: '200' };
      },
    },
    {
      title: 'alice logs out on her phone',
      expected: '401 session_revoked',
      play: () => {
        const { sid } = sessionOf('phone');
        const url = `${urls.sessionService}/v1/sessions/${sid}`;
        return rejected(['phone'], '401 session_revoked', async () =>
          expected(202, await request(url, { method: 'DELETE', as: 'login' })),
        );
      },
    },
    {
      title: 'and stays signed in on her laptop',
      expected: '200',
      play: () => accepted('laptop'),
    },
  ];
}

/** @typedef {Readonly<Record<string, unknown>>} Body */

/** @param {Body} published @returns {Place} */
const placeOf = ({ partition, offset }) => ({ partition: Number(partition), offset: Number(offset) });

/** @param {Body} made @returns {Session} */
const sessionIn = ({ sid, accessToken, refreshToken }) => ({
  sid: `${sid}`,
  accessToken: `${accessToken}`,
  refreshToken: `${refreshToken}`,
});

/**
 * @param {number} status
 * @param {import('./http-client.mjs').Answer} answer
 * @returns {Body} what it holds
 */
function expected(status, answer) {
  if (answer.status !== status) throw new Error(`the answer is ${inWords(answer)}, not ${status}`);
  return answer.body ?? {};
}
