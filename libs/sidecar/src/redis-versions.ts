import { partitionHash, REALM_ID, REALM_SCOPE, type ScopeKey } from '@curfew/contracts';
import type { SessionVersions } from '@curfew/replica';
import { Redis, type Result } from 'ioredis';
import { backoffMs } from './backoff.ts';
import type { StoredVersions } from './read-through.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    curfewRead(...keys: (string | number)[]): Result<number[], Context>;
  }
}

/**
 * Ticks and versions as of one moment: no bump, loss or failover comes between a tick and what it vouches for.
 * KEYS: positions of subject and realm, versions of both, the tombstone; for a tenant its position and its version.
 * Returns the oldest tick, 1 where the tombstone is there, then current and floor of subject, realm and tenant.
 */
const READ = `
local reply = { 0, redis.call('EXISTS', KEYS[5]) }
local oldest
for _, i in ipairs({ 1, 2, 6 }) do
  if KEYS[i] then
    local tick = tonumber(redis.call('HGET', KEYS[i], 'tick') or '0')
    if not oldest or tick < oldest then oldest = tick end
  end
end
reply[1] = oldest
for _, i in ipairs({ 3, 4, 7 }) do
  if KEYS[i] then
    local version = redis.call('HMGET', KEYS[i], 'current', 'floor')
    reply[#reply + 1] = tonumber(version[1] or '0')
    reply[#reply + 1] = tonumber(version[2] or '0')
  end
end
return reply
`;

const REALM_HASH = partitionHash(REALM_ID);

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
   * Reads the scopes of a session by one command, as of one moment.
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
    scripts: { curfewRead: { lua: READ, readOnly: true } },
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
      const ofRealm = REALM_HASH % partitions;
      const keys = [
        positionKey(own),
        positionKey(ofRealm),
        versionKey(own, subject.scope),
        versionKey(ofRealm, REALM_SCOPE),
        versionKey(own, session.scope),
        ...(tenant === undefined ? [] : [positionKey(ofTenant), versionKey(ofTenant, tenant.scope)]),
      ];
      const [tick = 0, ended = 0, ...numbers] = await redis.curfewRead(keys.length, ...keys);
      const [current = 0, floor = 0, realmCurrent = 0, realmFloor = 0, tenantCurrent = 0, tenantFloor = 0] = numbers;
      return {
        subject: { current, floor },
        tenant: { current: tenantCurrent, floor: tenantFloor },
        realm: { current: realmCurrent, floor: realmFloor },
        ended: ended === 1,
        tick,
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

const positionKey = (partition: number): string => `curfew:pos:{p${partition}}`;
const versionKey = (partition: number, scope: ScopeKey): string => `curfew:ver:{p${partition}}:${scope}`;
