import { deflateSync, inflateSync } from 'node:zlib';
import { CANARY_INDEX_KEY, REVOCATION_INDEX_KEY, revocationKey } from '@curfew/contracts';
import { answered, type RedisClient } from '@curfew/store';
import { type Found, isNews, isWanted, type Ledger, type Wanted } from '../receipts/ledger.ts';
import { isSameEvent, type Revocation } from '../receipts/revocation.ts';

const DAY_MS = 86_400_000;
/** As long as the console draws: of canaries there are many. */
const CANARY_MS = 60 * 60_000;
/** How long it is told of an event that it ended nothing: there may be many of those. */
const NOTHING_MS = 10 * 60_000;
/** Most revocations in each index; canaries are in one of their own, so that they push nothing out. */
const MAX_INDEXED = 1000;
/** Revocations that are read at once. */
const CHUNK = 50;

/** The ledger in Redis: each revocation as JSON that is compressed, and an index by time. */
export class RedisLedger implements Ledger {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async add(revocations: readonly Revocation[]): Promise<ReadonlySet<string>> {
    const redis = this.#redis;
    // All at once: the commands share a round trip, and may be of different slots.
    const kept = revocations.map((one) => this.#keep(one));
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
    const [before] = await Promise.all([Promise.all(kept), answered(Promise.all(indexes))]);
    return new Set(before.flatMap((one) => (one?.outcomes === undefined ? [] : [one.id])));
  }

  /** @returns what is kept already, of the same event. */
  async #keep(revocation: Revocation): Promise<Revocation | undefined> {
    const value = [revocationKey(revocation.id), encode(revocation), 'PX', keptMs(revocation)] as const;
    if ((await answered(this.#redis.set(...value, 'NX'))) !== null) return undefined;
    const kept = await this.read(revocation.id);
    if (kept !== undefined && isSameEvent(kept, revocation)) return kept;
    await answered(this.#redis.set(...value));
    return undefined;
  }

  async settle(revocation: Revocation): Promise<void> {
    const kept = await this.read(revocation.id);
    // It could not be kept when it was announced.
    if (kept === undefined) return void (await this.add([revocation]));
    if (isNews(revocation, kept))
      await answered(this.#redis.set(revocationKey(revocation.id), encode(revocation), 'KEEPTTL', 'XX'));
  }

  async read(id: string): Promise<Revocation | undefined> {
    const kept = await answered(this.#redis.getBuffer(revocationKey(id)));
    return kept === null ? undefined : decode(kept);
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

const keptMs = ({ scopes, canary }: Revocation): number => {
  if (scopes.length === 0) return NOTHING_MS;
  return canary ? CANARY_MS : DAY_MS;
};

/** What became of it on hundreds of sidecars is much the same on each: a tenth is left of it. */
const encode = (revocation: Revocation): Buffer => deflateSync(JSON.stringify(revocation));

/** Undefined where another version of this program kept it in another way. */
function decode(kept: Buffer): Revocation | undefined {
  try {
    return JSON.parse(`${inflateSync(kept)}`) as Revocation;
  } catch {
    return undefined;
  }
}

const pairs = (flat: readonly string[]): { id: string; at: number }[] =>
  flat.flatMap((id, i) => (i % 2 === 0 ? [{ id, at: Number(flat[i + 1]) }] : []));
