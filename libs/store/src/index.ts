export type { RedisClient, RedisConnection, StoreOptions } from './redis-connection.ts';
export { answered, createRedis } from './redis-connection.ts';
export type { StoredRecord } from './redis-session-records.ts';
export { readUsedRecord, TOUCH_INTERVAL_MS } from './redis-session-records.ts';
export type { SessionScopes, SubjectVersions, Version } from './redis-versions.ts';
export { holdsPartitions, readVersions } from './redis-versions.ts';
