import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { sessionScope } from '@curfew/contracts';
import { createRedis } from '@curfew/store';
import { Redis } from 'ioredis';
import type { Revocation } from '../../../services/session-service/src/receipts/revocation.ts';
import { RedisLedger } from '../../../services/session-service/src/store/redis-ledger.ts';
import { empty, usedMemory } from '../redis-figures.ts';
import { report } from '../report.ts';

/** What a revocation leaves in the ledger once so many sidecars have applied it. */

const EVENTS = 5000;
/** Longest time from the event to its application, ms. */
const APPLIED_WITHIN_MS = 40;

const url = process.env['CURFEW_REDIS_URL'] ?? '';
const plain = new Redis(url);
const connection = createRedis(url);
await connection.start((error) => console.error(error));
const ledger = new RedisLedger(connection.client);

const random = (length: number) => randomBytes(length).toString('base64url').slice(0, length);
const sidecars = Array.from({ length: Number(process.argv[2]) }, (_, i) => {
  const service = `service-${i % 20}`;
  return { service, instance: `${service}-7d9f8b6c5-${random(5)}-1-${random(4)}` };
});

async function applied(offset: number): Promise<void> {
  const at = Date.now();
  const revocation: Revocation = {
    id: randomUUID(),
    partition: offset % 12,
    offset,
    at,
    appliedAt: at + 1,
    announcedAt: at + 2,
    why: 'caep/session-revoked',
    scopes: [sessionScope(random(22))],
    traceId: randomBytes(16).toString('hex'),
  };
  await ledger.add([revocation]);
  const outcomes = sidecars.map((sidecar) => {
    const appliedAt = at + 2 + randomInt(APPLIED_WITHIN_MS);
    return { ...sidecar, state: 'live', by: 'receipt', effectiveAt: appliedAt, appliedAt, exposed: 0 } as const;
  });
  await ledger.settle({ ...revocation, outcomes });
}

await empty(plain);
const before = await usedMemory(plain);
for (let offset = 0; offset < EVENTS; offset++) await applied(offset);
const usedBytes = ((await usedMemory(plain)) - before) / EVENTS;
await empty(plain);
plain.disconnect();
await connection.close();
report([], { usedBytes });
