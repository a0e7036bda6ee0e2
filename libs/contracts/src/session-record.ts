import type { AccessTokenClaims } from './claims.ts';
import { isCount, isJsonObject, isText, isTexts, isTime } from './json.ts';
import { fail, ok, type Result } from './result.ts';
import { DEFAULT_TIER, isTier, type Tier } from './tiers.ts';

/** A session as it is stored: small, and disposable (its end is a version's matter). Times are in ms since the epoch. */
export interface SessionRecord {
  readonly sid: string;
  readonly subject: string;
  readonly tenant?: string;
  readonly roles: readonly string[];
  /** The subject's version when the roles were given: a claims change after it brings others. */
  readonly rolesAt: number;
  readonly tier: Tier;
  /** How the subject was authenticated (OpenID Connect Core, section 2; RFC 8176). */
  readonly acr?: string;
  readonly amr?: readonly string[];
  readonly device?: string;
  readonly userAgent?: string;
  /** Where it was made: a network, not an address. */
  readonly ip?: string;
  /** The client that made it (RFC 9068, `client_id`). */
  readonly clientId?: string;
  readonly createdAt: number;
  /** When the subject last showed a credential. */
  readonly authenticatedAt: number;
  /** When it was last used, to the minute. */
  readonly lastSeenAt: number;
  /** When it ends at the latest. */
  readonly expiresAt: number;
  /** How long it may go unused, ms. */
  readonly idleMs: number;
  /** Versions of subject, tenant and realm that it was minted with, and the tick that they were read by. */
  readonly s: number;
  readonly t: number;
  readonly r: number;
  readonly at: number;
  /** Of its refresh token. */
  readonly generation: number;
  /** Hash of the id that a cookie carries now. Of a session that tokens carry: none. */
  readonly idHash?: string;
  /** Hash of the id before it. */
  readonly previousIdHash?: string;
  /** Until when the refresh token, or the id, before the newest one still brings that again. 0: never. */
  readonly predecessorUntil: number;
  /** Those who exchanged the refresh token before the newest one, and have not said that they got nothing. */
  readonly attempts?: string;
  /** It is no session any more: why. The record stays so that whoever comes late is answered rightly. */
  readonly ended?: SessionEnd;
  /** Small things that a user interface keeps for a while. */
  readonly ux?: Readonly<Record<string, string>>;
}

/** An old refresh token was shown. */
export type SessionEnd = 'refresh-reuse';

/** Largest record, bytes of all its fields and values. */
export const MAX_RECORD_BYTES = 1024;
/** Largest record that a sign-in makes, or a change by a user interface: renewals add ids, times and longer versions. */
export const MAX_WRITTEN_BYTES = MAX_RECORD_BYTES - 144;
/** Largest `ux` of a record, bytes of JSON. */
export const MAX_UX_BYTES = 512;

/**
 * The fields of a record's hash, all of them optional to a reader. Names of one letter, times in seconds, and what is at
 * its default left out: 200,000 sessions are to fit into 100 MB.
 */
const RECORD_FIELD = {
  subject: 'u',
  tenant: 'n',
  roles: 'o',
  rolesAt: 'q',
  tier: 'k',
  acr: 'a',
  amr: 'm',
  device: 'd',
  userAgent: 'w',
  ip: 'i',
  clientId: 'b',
  createdAt: 'c',
  authenticatedAt: 'h',
  lastSeenAt: 'l',
  expiresAt: 'x',
  idleMs: 'y',
  s: 's',
  t: 't',
  r: 'r',
  at: 'v',
  generation: 'g',
  idHash: 'j',
  previousIdHash: 'f',
  predecessorUntil: 'p',
  attempts: 'A',
  ended: 'e',
  ux: 'z',
} as const satisfies Record<Exclude<keyof SessionRecord, 'sid'>, string>;

type Field = keyof typeof RECORD_FIELD;

/** Written as whole seconds. */
const SECONDS: ReadonlySet<Field> = new Set(['createdAt', 'authenticatedAt', 'lastSeenAt', 'expiresAt', 'idleMs']);
const COUNTS = ['rolesAt', 's', 't', 'r', 'at', 'generation', 'predecessorUntil'] as const;
const TEXTS = [
  'tenant',
  'acr',
  'device',
  'userAgent',
  'ip',
  'clientId',
  'idHash',
  'previousIdHash',
  'attempts',
] as const;

/** Fields and values of a record, or of what changes in one. A member that is undefined is not written. */
export function encodeSessionRecord(record: Partial<SessionRecord>): Record<string, string | number> {
  const fields: Record<string, string | number> = {};
  for (const [name, field] of Object.entries(RECORD_FIELD) as [Field, string][]) {
    const value = record[name];
    if (value === undefined) continue;
    if (typeof value === 'number') fields[field] = SECONDS.has(name) ? Math.floor(value / 1000) : value;
    else fields[field] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  return fields;
}

/** A whole record, without what a reader takes for granted. */
export function encodeNewRecord(record: SessionRecord): Record<string, string | number> {
  const { rolesAt, tier, authenticatedAt, s, t, r, generation, predecessorUntil, ...rest } = record;
  const unlike = <T>(value: T, usual: T): T | undefined => (value === usual ? undefined : value);
  return encodeSessionRecord({
    ...rest,
    ...definedOnly({
      rolesAt: unlike(rolesAt, 0),
      tier: unlike(tier, DEFAULT_TIER),
      authenticatedAt: unlike(authenticatedAt, record.createdAt),
      s: unlike(s, 0),
      t: unlike(t, 0),
      r: unlike(r, 0),
      generation: unlike(generation, 0),
      predecessorUntil: unlike(predecessorUntil, 0),
    }),
  });
}

/** How much of `MAX_RECORD_BYTES` fields and values take. */
export const recordBytes = (fields: Readonly<Record<string, string | number>>): number =>
  Object.entries(fields).reduce((sum, [field, value]) => sum + field.length + Buffer.byteLength(String(value)), 0);

/** Reads a record's hash. Anybody may have edited it: what is no record fails, and nothing throws. */
export function decodeSessionRecord(sid: string, fields: Readonly<Record<string, string>>): Result<SessionRecord> {
  const text = (name: Field): string | undefined => fields[RECORD_FIELD[name]];
  const number = (name: Field): number => {
    const value = text(name);
    if (value === undefined) return DEFAULTS[name] ?? Number.NaN;
    return /^\d{1,16}$/.test(value) ? Number(value) * (SECONDS.has(name) ? 1000 : 1) : Number.NaN;
  };
  const subject = text('subject');
  const tier = text('tier') ?? DEFAULT_TIER;
  const ended = text('ended');
  const roles = json(text('roles') ?? '[]');
  const amr = json(text('amr'));
  const ux = json(text('ux'));
  const [createdAt, lastSeenAt, expiresAt, idleMs] = (['createdAt', 'lastSeenAt', 'expiresAt', 'idleMs'] as const).map(
    number,
  );
  const authenticatedAt = text('authenticatedAt') === undefined ? createdAt : number('authenticatedAt');
  const times = { createdAt, authenticatedAt, lastSeenAt, expiresAt, idleMs };
  const counts = Object.fromEntries(COUNTS.map((name) => [name, number(name)]));
  const sound =
    isText(subject) &&
    isTier(tier) &&
    isTexts(roles) &&
    (amr === undefined || isTexts(amr)) &&
    (ux === undefined || (isJsonObject(ux) && Object.values(ux).every((one) => typeof one === 'string'))) &&
    (ended === undefined || ended === 'refresh-reuse') &&
    Object.values(times).every(isTime) &&
    Object.values(counts).every(isCount);
  if (!sound) return fail('session_record_invalid', 'the record holds what no session service writes');
  const texts = Object.fromEntries(TEXTS.map((name) => [name, text(name)]));
  return ok(definedOnly({ sid, subject, tier, roles, amr, ux, ended, ...times, ...counts, ...texts }) as SessionRecord);
}

/** What a field that is missing stands for; a record without any other is none. */
const DEFAULTS: Partial<Record<Field, number>> = { rolesAt: 0, s: 0, t: 0, r: 0, generation: 0, predecessorUntil: 0 };

function json(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const definedOnly = <T extends object>(object: T) =>
  Object.fromEntries(Object.entries(object).filter(([, member]) => member !== undefined)) as {
    [M in keyof T]: Exclude<T[M], undefined>;
  };

/** What a session's token claims of it, whichever way it is carried. */
export function claimsOfRecord(record: SessionRecord): Omit<AccessTokenClaims, 'iss' | 'aud' | 'exp' | 'iat' | 'jti'> {
  const { sid, subject, tenant, roles, tier, acr, amr, device, clientId, authenticatedAt, s, t, r, at } = record;
  return {
    sub: subject,
    sid,
    ver: { s, t, r, at },
    roles,
    tier,
    auth_time: Math.floor(authenticatedAt / 1000),
    ...definedOnly({ ten: tenant, acr, amr, dev: device, client_id: clientId }),
  } as ReturnType<typeof claimsOfRecord>;
}
