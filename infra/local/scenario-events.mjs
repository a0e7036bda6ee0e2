import { inWords, request } from './http-client.mjs';
import { expectAnswer } from './rejections.mjs';
import { expected, sessionIn } from './scenario-actors.mjs';

/**
 * The identity system says what happened to accounts.
 *
 * @param {import('./scenario-actors.mjs').Actors} actors
 * @returns {import('./scenario.mjs').Step[]}
 */
export function eventSteps({
  urls,
  subjectOf,
  sessions,
  sessionOf,
  targetsOf,
  asLogin,
  signIn,
  signedIn,
  refresh,
  event,
  accepted,
  rejected,
}) {
  const [alice = '', bob = '', carol = ''] = ['alice', 'bob', 'carol'].map(subjectOf);
  const laptop = { client: { device: 'laptop' } };
  const phone = { client: { device: 'phone' } };
  return [
    {
      title: 'alice (twice), bob and carol sign in',
      expected: '200',
      play: async () => {
        await signedIn('laptop', alice, laptop);
        await signedIn('phone', alice, phone);
        await signedIn('bob', bob, laptop);
        await signedIn('carol', carol, { ...laptop, roles: ['user', 'admin'] });
        return accepted('laptop', 'phone', 'bob', 'carol');
      },
    },
    {
      title: "alice's order, which orders has payments take",
      expected: '201',
      play: async () => {
        expected(201, await request(`${urls.orders}/orders`, { method: 'POST', user: sessionOf('laptop').user }));
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
        await signedIn('laptop', alice, laptop, changed);
        await signedIn('phone', alice, phone, changed);
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
        const answer = inWords(await signIn(bob, laptop));
        if (answer !== '403 account_disabled') throw new Error(`the sign-in is answered with ${answer}`);
        return {};
      },
    },
    {
      title: 'bob is enabled and signs in',
      expected: '200',
      play: async () => {
        await signedIn('bob', bob, laptop, await event('account-enabled', { subject: bob })());
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
        const session = sessionIn(expected(200, await refresh(sessionOf('carol').refreshToken)));
        sessions.set('carol', session);
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
      play: () =>
        rejected(['phone'], '401 session_revoked', async () =>
          expected(202, await asLogin(`/v1/sessions/${sessionOf('phone').sid}`, { method: 'DELETE' })),
        ),
    },
    {
      title: 'and stays signed in on her laptop',
      expected: '200',
      play: () => accepted('laptop'),
    },
  ];
}
