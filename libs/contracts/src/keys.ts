import type { ScopeKey } from './scope.ts';

/** Prefix of every key in Redis (DESIGN section 8). What stands in braces decides the slot. */
export const KEY_PREFIX = 'curfew:';

/** A partition's offset and newest tick. */
export const positionKey = (partition: number): string => `${KEY_PREFIX}pos:{p${partition}}`;
/** The version of a scope, in its partition's slot. */
export const versionKey = (partition: number, scope: ScopeKey): string => `${KEY_PREFIX}ver:{p${partition}}:${scope}`;
/** A session's record, under its handle: a hash of its id's first half. */
export const sessionKey = (sid: string): string => `${KEY_PREFIX}ses:{${sid}}`;
/** The handles of a subject's sessions, by their absolute expiry. */
export const indexKey = (subject: string): string => `${KEY_PREFIX}idx:{${subject}}`;
/** Account events of the session service's own that the bus has yet to acknowledge, in order. */
export const OUTBOX_KEY = `${KEY_PREFIX}outbox`;
/** What is known of an account event that was announced. */
export const revocationKey = (id: string): string => `${KEY_PREFIX}rev:{${id}}`;
/** The ids of the newest of them, by when they were acknowledged; those of canaries apart. */
export const REVOCATION_INDEX_KEY = `${KEY_PREFIX}revs`;
export const CANARY_INDEX_KEY = `${KEY_PREFIX}revs:canaries`;

/** What names a Redis: the URL of one server, or of several of a cluster, between commas. */
export const REDIS_URL = /^rediss?:\/\/[^\s,]+(,rediss?:\/\/[^\s,]+)*$/;
