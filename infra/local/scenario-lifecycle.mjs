import { inWords } from './http-client.mjs';
import { expected, sessionIn } from './scenario-actors.mjs';

/**
 * People and a thief have to do with sessions: cookies on two devices, and a refresh token that is out twice.
 *
 * @param {import('./scenario-actors.mjs').Actors} actors
 * @returns {import('./scenario.mjs').Step[]}
 */
export function lifecycleSteps({ subjectOf, sessions, sessionOf, asLogin, signedIn, refresh, accepted, rejected }) {
  const [dave = '', erin = ''] = ['dave', 'erin'].map(subjectOf);
  return [
    {
      title: 'dave signs in by a cookie, on his laptop and on a phone',
      expected: '200',
      play: async () => {
        await signedIn("dave's laptop", dave, { mode: 'cookie', client: { device: 'laptop' } });
        await signedIn("dave's phone", dave, { mode: 'cookie', client: { device: 'phone' } });
        return accepted("dave's laptop", "dave's phone");
      },
    },
    {
      title: 'he sees two devices, and logs out everywhere else',
      expected: '401 session_revoked',
      play: async () => {
        const here = sessionOf("dave's laptop").sid;
        const { sessions: seen } = expected(200, await asLogin(`/v1/subjects/${dave}/sessions`));
        const devices = /** @type {{ device: string }[]} */ (seen).map(({ device }) => device).sort();
        if (`${devices}` !== 'laptop,phone') throw new Error(`the list has the devices ${devices}`);
        return rejected(["dave's phone"], '401 session_revoked', async () =>
          expected(202, await asLogin(`/v1/subjects/${dave}/sessions?except=${here}`, { method: 'DELETE' })),
        );
      },
    },
    {
      title: 'his laptop goes on, with the cookie that it has',
      expected: '200',
      play: () => accepted("dave's laptop"),
    },
    {
      title: "erin's first refresh token is stolen; she refreshes, twice",
      expected: '200',
      play: async () => {
        await signedIn('erin', erin);
        const stolen = sessionOf('erin');
        const first = sessionIn(expected(200, await refresh(stolen.refreshToken)));
        sessions.set('erin', sessionIn(expected(200, await refresh(first.refreshToken))));
        sessions.set('thief', stolen);
        return accepted('erin');
      },
    },
    {
      title: 'the thief shows it: it is out twice, and the session ends',
      expected: '401 session_revoked',
      play: () =>
        rejected(['erin'], '401 session_revoked', async () => {
          const answer = inWords(await refresh(sessionOf('thief').refreshToken));
          if (answer !== '401 refresh_token_reused') throw new Error(`the thief is answered with ${answer}`);
        }),
    },
  ];
}
