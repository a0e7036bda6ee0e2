import { partitionOf, REALM_ID, REALM_SCOPE, type ScopeKey } from '@curfew/contracts';
import { Redis } from 'ioredis';
import { backoffMs } from './backoff.ts';
import type { SessionScopes, StoredVersion, StoredVersions } from './read-through.ts';

/** Longest wait for one command, and for the connection, ms. */
const COMMAND_TIMEOUT_MS = 1000;
/** A socket that answers nothing for this long is replaced, ms. */
const SOCKET_TIMEOUT_MS = 2000;
/** How long the end of a connection may take before it is cut, ms. The client keeps a timer for it. */
const DISCONNECT_TIMEOUT_MS = 100;

/** The session service's versions in Redis, to read. */
export interface RedisVersions {
  /** Connects, and goes on trying; `onAway` hears why, once each time that Redis goes away. Resolves after the first try. */
  start(onAway: (error: Error) => void): Promise<void>;
  /**
   * Reads a session's scopes, all in one write to the socket.
   *
   * @param partitions as many as session-versions has: they are part of the keys.
   */
  read(session: SessionScopes, partitions: number): Promise<StoredVersions>;
  close(): Promise<void>;
}

/** A connection that never waits in silence: while Redis is away a read fails at once. */
export function createRedisVersions(url: string): RedisVersions {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    connectTimeout: COMMAND_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    retryStrategy: (attempt) => backoffMs(attempt, Math.random()),
  });

  const version = async (partition: number, scope: ScopeKey): Promise<StoredVersion> => {
    const [current, floor] = await redis.hmget(versionKey(partition, scope), 'current', 'floor');
    return { current: Number(current ?? 0), floor: Number(floor ?? 0) };
  };

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
    read: async ({ subject, tenant, session }, partitions) => {
      const own = partitionOf(subject.slice(2), partitions);
      const [ofSubject, ofTenant, ofRealm, tombstones] = await Promise.all([
        version(own, subject),
        tenant === undefined ? NEVER_BUMPED : version(partitionOf(tenant.slice(2), partitions), tenant),
        version(partitionOf(REALM_ID, partitions), REALM_SCOPE),
        redis.exists(versionKey(own, session)),
      ]);
      return { subject: ofSubject, tenant: ofTenant, realm: ofRealm, ended: tombstones > 0 };
    },
    close: async () => {
      // Between two tries there is no connection, and the client tells no end.
      const ended = /^(end|reconnecting)$/.test(redis.status) || new Promise((resolve) => redis.once('end', resolve));
      redis.disconnect();
      await ended;
    },
  };
}

const NEVER_BUMPED: StoredVersion = { current: 0, floor: 0 };

const versionKey = (partition: number, scope: ScopeKey): string => `curfew:ver:{p${partition}}:${scope}`;
