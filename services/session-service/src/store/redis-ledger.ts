import { CANARY_INDEX_KEY, REVOCATION_INDEX_KEY, revocationKey } from '@curfew/contracts';
import { answered, type RedisClient } from '@curfew/store';
import { type Found, isWanted, type Ledger, type Wanted } from '../receipts/ledger.ts';
import type { Revocation } from '../receipts/revocation.ts';

const DAY_MS = 86_400_000;
/** How long it is told of an event that it ended nothing: there may be many of those. */
const NOTHING_MS = 10 * 60_000;
/** Most revocations in each index; canaries are in one of their own, so that they push nothing out. */
const MAX_INDEXED = 1000;
/** Revocations that are read at once. */
const CHUNK = 50;

/** The ledger in Redis: each revocation as JSON, and an index by time. */
export class RedisLedger implements Ledger {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async add(revocations: readonly Revocation[]): Promise<void> {
    const redis = this.#redis;
    // All at once: the commands share a round trip, and may be of different slots.
    const kept = revocations.map((one) =>
      redis.set(revocationKey(one.id), JSON.stringify(one), 'PX', one.scopes.length > 0 ? DAY_MS : NOTHING_MS, 'NX'),
    );
    const listed = revocations.filter(({ scopes }) => scopes.length > 0);
    const indexed = Map.groupBy(listed, ({ canary }) => (canary ? CANARY_INDEX_KEY : REVOCATION_INDEX_KEY));
    const indexes = [...indexed].map(([key, ofIndex]) =>
      redis
        .multi()
        .zadd(key, ...ofIndex.flatMap(({ at, id }) => [at, id]))
        .zremrangebyrank(key, 0, -1 - MAX_INDEXED)
        .pexpire(key, DAY_MS)
        .exec(),
    );
    await answered(Promise.all([...kept, ...indexes]));
  }

  async settle(revocation: Revocation): Promise<void> {
    const kept = await this.read(revocation.id);
    // Announced again, by an instance that knows less of the sidecars of then.
    if (kept?.offset === revocation.offset && saidOf(kept) > saidOf(revocation)) return;
    await answered(this.#redis.set(revocationKey(revocation.id), JSON.stringify(revocation), 'KEEPTTL', 'XX'));
  }

  async read(id: string): Promise<Revocation | undefined> {
    const json = await answered(this.#redis.get(revocationKey(id)));
    return json === null ? undefined : (JSON.parse(json) as Revocation);
  }

  async newest(wanted: Wanted): Promise<Found> {
    const keys = wanted.canaries ? [REVOCATION_INDEX_KEY, CANARY_INDEX_KEY] : [REVOCATION_INDEX_KEY];
    const after = `(${wanted.since}`;
    const indexed = await answered(
      Promise.all(keys.map((key) => this.#redis.zrange(key, '+inf', after, 'BYSCORE', 'REV', 'WITHSCORES'))),
    );
    const ids = indexed.flatMap(pairs).sort((a, b) => b.at - a.at);
    const found: Revocation[] = [];
    for (let first = 0; first < ids.length && found.length < wanted.limit; first += CHUNK) {
      const chunk = await Promise.all(ids.slice(first, first + CHUNK).map(({ id }) => this.read(id)));
      found.push(...chunk.filter((one) => one !== undefined).filter((one) => isWanted(one, wanted)));
    }
    const isFull = indexed.some(({ length }) => length >= 2 * MAX_INDEXED);
    return { revocations: found.slice(0, wanted.limit), isTruncated: isFull && found.length < wanted.limit };
  }
}

/** How many sidecars said what became of it. */
const saidOf = ({ outcomes = [] }: Revocation): number => outcomes.filter(({ by }) => by === 'receipt').length;

const pairs = (flat: readonly string[]): { id: string; at: number }[] =>
  flat.flatMap((id, i) => (i % 2 === 0 ? [{ id, at: Number(flat[i + 1]) }] : []));
