import { isText, type JsonObject } from './json.ts';
import { REALM_ID, REALM_SCOPE, type ScopeKey, sessionScope, subjectScope, tenantScope } from './scope.ts';
import type { SecurityEventToken } from './set.ts';
import { type Subject, subjectOf } from './subject.ts';

/** Prefixes of the event types' URIs (OpenID CAEP 1.0, OpenID RISC 1.0). */
export const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
export const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';

/** What an event of a type does. The first rule that fits decides; a known type that no rule fits changes nothing. */
export interface EffectRule {
  readonly type: string;
  /** Members of the payload that must have exactly these values. */
  readonly where?: JsonObject;
  /** `floor` ends sessions, `current` makes them renew. */
  readonly raise: 'floor' | 'current' | 'nothing';
  /** true: no new session until a rule with false. */
  readonly blocks?: boolean;
  /** Applies to the one session, or the one device, that the subject names, instead of to its user (who renews). */
  readonly narrows?: boolean;
  /** A session that the subject names survives, and must renew. */
  readonly keepsNamedSession?: boolean;
  /** Of an event about a user: the session that the payload's `except_session` names survives, and must renew. */
  readonly keepsExcepted?: boolean;
  /** The payload's `claims` replace those of the subject's sessions when they renew. */
  readonly carriesClaims?: boolean;
}

/** DESIGN section 4, as a value. Configuration may put rules before it. */
export const EFFECT_RULES: readonly EffectRule[] = [
  { type: `${CAEP}credential-change`, where: { change_type: 'create' }, raise: 'nothing' },
  { type: `${CAEP}credential-change`, raise: 'floor', keepsNamedSession: true },
  { type: `${RISC}credential-compromise`, raise: 'floor', keepsNamedSession: true },
  { type: `${RISC}account-disabled`, raise: 'floor', blocks: true },
  { type: `${RISC}account-purged`, raise: 'floor', blocks: true },
  { type: `${RISC}account-enabled`, raise: 'current', blocks: false },
  { type: `${CAEP}token-claims-change`, raise: 'current', carriesClaims: true },
  { type: `${CAEP}session-revoked`, raise: 'floor', narrows: true, keepsExcepted: true },
  { type: `${CAEP}assurance-level-change`, where: { change_direction: 'decrease' }, raise: 'current' },
  { type: `${CAEP}assurance-level-change`, raise: 'nothing' },
  { type: `${CAEP}risk-level-change`, where: { current_level: 'HIGH' }, raise: 'floor' },
  { type: `${CAEP}risk-level-change`, raise: 'current' },
  {
    type: `${CAEP}device-compliance-change`,
    where: { current_status: 'not-compliant' },
    raise: 'floor',
    narrows: true,
  },
  { type: `${CAEP}device-compliance-change`, raise: 'nothing' },
  { type: `${RISC}identifier-changed`, raise: 'current' },
  { type: `${RISC}recovery-activated`, raise: 'current' },
];

/** One change of one scope's version. */
export interface Effect {
  readonly scope: ScopeKey;
  readonly raise: 'floor' | 'current';
  /** The event type in short: `caep/session-revoked`. */
  readonly why: string;
  readonly blocked?: boolean;
  readonly claims?: JsonObject;
  /** The session that this change spares. */
  readonly keeps?: string;
  /** Only the sessions of this device, each by a tombstone, instead of the whole scope. */
  readonly device?: string;
}

/** The event type's URI without its prefix, for a person: `caep/credential-change`. */
export const shortType = (type: string): string =>
  type.startsWith(CAEP)
    ? `caep/${type.slice(CAEP.length)}`
    : type.startsWith(RISC)
      ? `risc/${type.slice(RISC.length)}`
      : type;

/** What a SET does to versions, and which of its event types no rule knows. */
export function effectsOf(
  set: SecurityEventToken,
  rules: readonly EffectRule[] = EFFECT_RULES,
): { effects: Effect[]; unknownTypes: string[] } {
  const subject = subjectOf(set.sub_id);
  const effects: Effect[] = [];
  const unknownTypes: string[] = [];
  for (const [type, payload] of Object.entries(set.events)) {
    const ofType = rules.filter((rule) => rule.type === type);
    if (ofType.length === 0) unknownTypes.push(type);
    const rule = ofType.find(({ where = {} }) =>
      Object.entries(where).every(([member, value]) => payload[member] === value),
    );
    if (!rule || rule.raise === 'nothing') continue;
    const effect = effectOf(rule, rule.raise, subject, payload);
    effects.push(effect);
    // Which sessions a device has is known from their records, and Redis may have lost some. Their user renews: what has
    // no record cannot, and ends.
    if (effect.device !== undefined) effects.push({ scope: effect.scope, raise: 'current', why: effect.why });
  }
  return { effects, unknownTypes };
}

function effectOf(rule: EffectRule, raise: 'floor' | 'current', subject: Subject, payload: JsonObject): Effect {
  const claims = payload['claims'];
  const narrowed = rule.narrows ? subject : {};
  const kept = rule.keepsNamedSession ? subject.session : rule.keepsExcepted ? payload['except_session'] : undefined;
  // Of a tenant's event no account is known, whose session it would have to be: a user may have the tenant's id.
  const mayKeep = subject.user !== undefined && narrowed.session === undefined;
  return {
    scope: narrowed.session === undefined ? scopeOf(subject) : sessionScope(narrowed.session),
    raise,
    why: shortType(rule.type),
    ...(rule.blocks === undefined ? {} : { blocked: rule.blocks }),
    ...(rule.carriesClaims && typeof claims === 'object' && claims !== null ? { claims: claims as JsonObject } : {}),
    ...(isText(kept) && mayKeep ? { keeps: kept } : {}),
    ...(narrowed.session === undefined && narrowed.device !== undefined ? { device: narrowed.device } : {}),
  };
}

function scopeOf(subject: Subject): ScopeKey {
  if (subject.user !== undefined) return subjectScope(subject.user);
  if (subject.tenant === undefined || subject.tenant === REALM_ID) return REALM_SCOPE;
  return tenantScope(subject.tenant);
}
