import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AccessTokenClaims } from '@curfew/contracts';
import { createPublisher } from '@curfew/publisher';
import { type SessionVersions, sessionVersions } from '@curfew/replica';
import { followVersions } from '../follow-versions.ts';
import { report } from '../report.ts';

/**
 * From the bus's acknowledgement of a password change to the first check that rejects the session: through the session
 * service's process, Redis and both topics, into the sidecar's reader and replica.
 */

const WARM_UP = 500;
const EVENTS = 500;
/** So that events do not share a batch, ms. */
const PAUSE_MS = 10;

const brokers = (process.env['CURFEW_KAFKA_BROKERS'] ?? '').split(',');
const publisher = createPublisher({ brokers, issuer: 'https://id.example.com' });
await publisher.start();

let watched: SessionVersions | undefined;
let rejected = Promise.withResolvers<number>();
const versions = await followVersions(brokers, (replica) => {
  if (watched !== undefined && replica.check(watched, 2000) === 'revoked') rejected.resolve(performance.now());
});

async function propagate(): Promise<number> {
  const subject = randomUUID();
  const now = Date.now();
  const claims = { sub: subject, sid: randomUUID(), ver: { s: 0, t: 0, r: 0, at: now } };
  rejected = Promise.withResolvers();
  watched = sessionVersions(claims as AccessTokenClaims);
  await publisher.passwordChanged({ subject });
  const acknowledged = performance.now();
  const took = Math.max(0, (await rejected.promise) - acknowledged);
  await sleep(PAUSE_MS);
  return took * 1e6;
}

for (let i = 0; i < WARM_UP; i++) await propagate();
const samples: number[] = [];
for (let i = 0; i < EVENTS; i++) samples.push(await propagate());
await Promise.all([versions.close(), publisher.close()]);
report(samples);
