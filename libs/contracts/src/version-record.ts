import { encodeJson, isCount, isText, isTime, parseJsonObject } from './json.ts';
import { fail, ok, type Result } from './result.ts';
import { isScopeKey, type ScopeKey } from './scope.ts';

/** A bump's announcement: a scope's version after an account event. */
export interface VersionRecord {
  readonly kind: 'version';
  readonly scope: ScopeKey;
  /** Below it a session is stale. */
  readonly current: number;
  /** Below it a session is revoked. Never above `current`. */
  readonly floor: number;
  /** When the bus acknowledged the event: its record's timestamp, ms since the epoch. */
  readonly at: number;
  /** The event type in short: `caep/credential-change`. */
  readonly why: string;
  /** The event's jti. */
  readonly id: string;
  /** The event's offset in the same partition of account-events. */
  readonly offset: number;
  /** true: no new session is made for the subject. */
  readonly blocked?: true;
  /** true: more scopes of the same event follow, in another batch. */
  readonly more?: true;
}

/** A time mark behind everything that its partition's events before `tick` have caused. */
export interface Tick {
  readonly kind: 'tick';
  /** The clock of the instance that stamped it, ms since the epoch. */
  readonly tick: number;
  /** Its offset in the same partition of account-events. */
  readonly offset: number;
}

export const TICK_KEY = '#tick';

/** Up to where in account-events everything is announced with a record, itself included. */
export const announcedUpTo = (record: VersionRecord | Tick): number =>
  record.kind === 'version' && record.more ? record.offset - 1 : record.offset;

/** The key and the value of a record of session-versions. */
export function encodeVersionRecord(record: VersionRecord | Tick): { key: string; value: Buffer } {
  if (record.kind === 'tick') return { key: TICK_KEY, value: encodeJson({ tick: record.tick, offset: record.offset }) };
  const { kind: _, scope, ...value } = record;
  return { key: scope, value: encodeJson(value) };
}

/** The key and the value of a tick on account-events, as its instance stamps it: the offset is the record's own. */
export const encodeLogTick = (tick: number): { key: string; value: Buffer } => ({
  key: TICK_KEY,
  value: encodeJson({ tick }),
});

/** The stamp of a tick on account-events, ms since the epoch; undefined where the record is none. Never throws. */
export function decodeLogTick(
  key: Uint8Array | null | undefined,
  value: Uint8Array | null | undefined,
): number | undefined {
  if (key == null || Buffer.from(key).toString('utf8') !== TICK_KEY) return undefined;
  const parsed = parseJsonObject(value);
  const tick = parsed.ok ? parsed.value['tick'] : undefined;
  return isTime(tick) ? tick : undefined;
}

/** Reads a record of session-versions. Never throws. */
export function decodeVersionRecord(
  key: Uint8Array | null | undefined,
  value: Uint8Array | null | undefined,
): Result<VersionRecord | Tick> {
  const scope = key == null ? '' : Buffer.from(key).toString('utf8');
  const parsed = parseJsonObject(value);
  if (!parsed.ok) return parsed;
  const { current, floor, at, why, id, offset, tick, blocked, more } = parsed.value;
  if (!isCount(offset)) return fail('record_invalid', 'offset is not a count');
  if (scope === TICK_KEY)
    return isTime(tick) ? ok({ kind: 'tick', tick, offset }) : fail('record_invalid', 'tick is not a time in ms');
  if (!isScopeKey(scope)) return fail('record_invalid', 'the key names no scope');
  if (!isCount(current) || !isCount(floor) || floor > current)
    return fail('record_invalid', 'current and floor are not versions with floor ≤ current');
  if (!isTime(at) || !isText(why) || !isText(id)) return fail('record_invalid', 'at, why or id is missing');
  const version = { kind: 'version', scope, current, floor, at, why, id, offset } as const;
  return ok({ ...version, ...(blocked === true ? { blocked } : {}), ...(more === true ? { more } : {}) });
}
