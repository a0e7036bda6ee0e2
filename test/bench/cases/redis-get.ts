import { Redis } from 'ioredis';
import { report } from '../report.ts';

/** One GET after the other, each waited for: what a session check against Redis costs at least. */

const WARM_UP = 5000;
const CALLS = 20_000;

const redis = new Redis(process.env['CURFEW_REDIS_URL'] ?? '');
await redis.set('bench:version', '1795507200000', 'EX', 600);

async function get(): Promise<number> {
  const from = process.hrtime.bigint();
  await redis.get('bench:version');
  return Number(process.hrtime.bigint() - from);
}

for (let i = 0; i < WARM_UP; i++) await get();
const samples: number[] = [];
for (let i = 0; i < CALLS; i++) samples.push(await get());
await redis.del('bench:version');
redis.disconnect();
report(samples);
