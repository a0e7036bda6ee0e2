import { partitionOf, REALM_ID, REALM_SCOPE, type ScopeKey } from '@curfew/contracts';
import type { SessionVersions } from '@curfew/replica';
import { Redis } from 'ioredis';
import { backoffMs } from './backoff.ts';
import type { StoredVersion, StoredVersions } from './read-through.ts';

/** Longest wait for the connection, ms. */
const CONNECT_TIMEOUT_MS = 1000;
/** A socket that answers nothing for this long is replaced, ms. */
const SOCKET_TIMEOUT_MS = 1000;
/** How long the end of a connection may take before it is cut, ms. The client keeps a timer for it. */
const DISCONNECT_TIMEOUT_MS = 100;

/** The session service's versions in Redis, to read. */
export interface RedisVersions {
  /** Connects, and goes on trying; `onAway` hears why, once each time that Redis goes away. Resolves after the first try. */
  start(onAway: (error: Error) => void): Promise<void>;
  /**
   * Reads the scopes of a session, all in one write to the socket and one round trip.
   *
   * @param partitions as many as session-versions has: they are part of the keys.
   */
  read(session: SessionVersions, partitions: number): Promise<StoredVersions>;
  /** Whether what Redis holds is divided into so many partitions: there is a position for the last, and none behind it. */
  holds(partitions: number): Promise<boolean>;
  close(): Promise<void>;
}

/** A connection that never waits in silence: while Redis is away a read fails at once. */
export function createRedisVersions(url: string): RedisVersions {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 1,
    socketTimeout: SOCKET_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    retryStrategy: (attempt) => backoffMs(attempt, Math.random()),
  });

  return {
    start: async (onAway) => {
      let away = false;
      redis.on('ready', () => {
        away = false;
      });
      redis.on('error', (error) => {
        if (!away) onAway(error);
        away = true;
      });
      await redis.connect().catch(() => {}); // Told by the event as well, and tried again.
    },
    read: async ({ subject, tenant, session, subjectHash, tenantHash }, partitions) => {
      const own = subjectHash % partitions;
      const ofTenant = tenantHash % partitions;
      const ofRealm = partitionOf(REALM_ID, partitions);
      // The ticks come first: what is read after a tick holds everything that the tick vouches for.
      const reads = redis
        .pipeline()
        .hget(positionKey(own), 'tick')
        .hget(positionKey(ofRealm), 'tick')
        .hmget(versionKey(own, subject.scope), 'current', 'floor')
        .hmget(versionKey(ofRealm, REALM_SCOPE), 'current', 'floor')
        .exists(versionKey(own, session.scope));
      if (tenant !== undefined)
        reads.hget(positionKey(ofTenant), 'tick').hmget(versionKey(ofTenant, tenant.scope), 'current', 'floor');
      // And last once more: a store that was emptied in between has none.
      const partitionsRead = [own, ofRealm, ...(tenant === undefined ? [] : [ofTenant])];
      for (const partition of partitionsRead) reads.hget(positionKey(partition), 'tick');
      const answers = ((await reads.exec()) ?? []).map(answerOf);
      const last = answers.splice(-partitionsRead.length);
      const [tick, realmTick, ofSubject, realm, tombstone, tenantTick, tenantVersion] = answers;
      const ticks = [tick, realmTick, ...(tenant === undefined ? [] : [tenantTick]), ...last];
      return {
        subject: versionOf(ofSubject),
        tenant: versionOf(tenantVersion),
        realm: versionOf(realm),
        ended: Number(tombstone) > 0,
        tick: Math.min(...ticks.map((text) => Number(text ?? 0))),
      };
    },
    holds: async (partitions) => {
      const [last, behind] = await Promise.all([
        redis.exists(positionKey(partitions - 1)),
        redis.exists(positionKey(partitions)),
      ]);
      return last === 1 && behind === 0;
    },
    close: async () => {
      // Between two tries there is no connection, and the client tells no end.
      const ended = /^(end|reconnecting)$/.test(redis.status) || new Promise((resolve) => redis.once('end', resolve));
      redis.disconnect();
      await ended;
    },
  };
}

/** @throws the error that one command of the pipeline met, which fails them all. */
function answerOf([error, value]: [Error | null, unknown]): unknown {
  if (error) throw error;
  return value;
}

function versionOf(fields: unknown): StoredVersion {
  const [current, floor] = (fields ?? []) as (string | null)[];
  return { current: Number(current ?? 0), floor: Number(floor ?? 0) };
}

const positionKey = (partition: number): string => `curfew:pos:{p${partition}}`;
const versionKey = (partition: number, scope: ScopeKey): string => `curfew:ver:{p${partition}}:${scope}`;
