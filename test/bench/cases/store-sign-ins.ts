import { Redis } from 'ioredis';
import { authorizationOf } from '../../../infra/local/clients.mjs';
import { load } from '../load.ts';
import { figuresOf } from '../redis-figures.ts';
import { sessionCount } from '../reference-session.ts';
import { report } from '../report.ts';
import { SIGN_IN_URL, signInBody } from '../sign-ins.ts';

/** Everybody signs in at once: how many sign-ins one process of the session service answers a second, by tokens. */

const SIGN_INS = sessionCount(20_000);
const WARM_UP = SIGN_INS / 10;
const CONNECTIONS = 50;

const headers = { 'content-type': 'application/json', authorization: authorizationOf('login') };
const requests = Array.from({ length: SIGN_INS }, (_, i) => {
  const body = JSON.stringify(signInBody(i, 'bearer'));
  return { method: 'POST', headers, body } as const;
});

await load(SIGN_IN_URL, requests, CONNECTIONS, WARM_UP);
const redis = new Redis(process.env['CURFEW_REDIS_URL'] ?? '');
let tookNs: number[] = [];
const { redisCores, redisMicroseconds, bytesIn, bytesOut, perSecond } = await figuresOf(redis, SIGN_INS, async () => {
  ({ tookNs } = await load(SIGN_IN_URL, requests, CONNECTIONS, SIGN_INS));
});
redis.disconnect();
report(tookNs, { perSecond, redisCores, redisMicroseconds, bytesIn, bytesOut });
