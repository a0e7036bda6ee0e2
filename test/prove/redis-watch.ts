import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOf } from '@curfew/contracts';
import type { Redis } from 'ioredis';
import type { History, StoredVersion } from './history.ts';

const INTERVAL_MS = 300;

const keyOf = (scope: string, partitions: number): string =>
  `curfew:ver:{p${partitionOf(scope.slice(2) || '*', partitions)}}:${scope}`;

/** Looks at versions again and again, for one that falls although Redis has lost nothing in between. */
export async function watchVersions(
  scopes: readonly string[],
  {
    partitions,
    client,
    epoch,
    signal,
  }: {
    readonly partitions: number;
    readonly client: () => Redis;
    /** Changes whenever Redis may lose something; undefined while it may. */
    readonly epoch: () => number | undefined;
    readonly signal: AbortSignal;
  },
): Promise<History['falls']> {
  const falls: History['falls'][number][] = [];
  let before: { readonly epoch: number; readonly versions: readonly number[] } | undefined;
  while (!signal.aborted) {
    const began = epoch();
    const pipeline = client().pipeline();
    for (const scope of scopes) pipeline.hget(keyOf(scope, partitions), 'current');
    const read = await Promise.race([pipeline.exec().catch(() => undefined), sleep(1000, undefined, { ref: false })]);
    const versions = read?.map(([, current]) => Number(current ?? 0));
    if (versions !== undefined && began !== undefined && epoch() === began) {
      if (before?.epoch === began)
        for (const [at, scope] of scopes.entries()) {
          const [from = 0, to = 0] = [before.versions[at], versions[at]];
          if (to < from) falls.push({ scope, from, to, at: Date.now() });
        }
      before = { epoch: began, versions };
    }
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => {});
  }
  return falls;
}

/** Every version in Redis, by scope; tombstones of sessions among them. */
export async function storedVersions(client: Redis): Promise<Map<string, StoredVersion>> {
  const stored = new Map<string, StoredVersion>();
  for await (const keys of client.scanStream({ match: 'curfew:ver:*', count: 1000 }) as AsyncIterable<string[]>)
    for (const key of keys) {
      const [current, floor] = await client.hmget(key, 'current', 'floor');
      stored.set(key.slice(key.indexOf('}:') + 2), { current: Number(current ?? 0), floor: Number(floor ?? 0) });
    }
  return stored;
}
