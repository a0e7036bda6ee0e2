import {
  isScopeKey,
  REALM_SCOPE,
  type ScopeKey,
  sessionOfScope,
  sessionScope,
  subjectScope,
  tenantScope,
} from '@curfew/contracts';
import type {
  HistoryDecision,
  HistoryEffect,
  HistoryEnd,
  HistoryEvent,
  HistoryToken,
  Violation,
  ViolationKind,
} from './history.ts';

/** What one event did to one scope, by the fold. */
interface Bump {
  readonly version: number;
  readonly ends: boolean;
  readonly at: number;
  readonly partition: number;
  readonly offset: number;
}

interface Token extends HistoryToken {
  /** When the first event was acknowledged that ended the token, or made it stale. */
  endedAt: number;
}

interface Login {
  /** When its first token was given out. */
  readonly at: number;
  readonly scopes: ReadonlySet<string>;
  readonly device: string | undefined;
  readonly subject: string;
  /** When the first event was acknowledged that ended the session, whatever versions its tokens carry. */
  endedAt: number;
}

const NEVER = Number.POSITIVE_INFINITY;

/**
 * Judges a history, as it comes (DESIGN section 1). It knows what the log says and when; not how Curfew goes about it.
 * Pure: times are those of whoever watches, and must be of one clock.
 */
export class Checker {
  readonly violations: Violation[] = [];
  /** Sessions ended without an event of their own, after Redis lost writes. */
  overRevocations = 0;
  /** Longest time after an event's acknowledgement at which a token that it ends was still accepted on a strict route, ms. */
  largestStalenessMs = 0;
  readonly #boundMs: number;
  readonly #tokens = new Map<string, Token>();
  readonly #logins = new Map<string, Login>();
  readonly #bumps = new Map<string, Bump[]>();
  readonly #events: HistoryEvent[] = [];
  readonly #applied: { readonly partition: number; readonly offset: number; readonly at: number }[] = [];
  readonly #seen = new Map<string, Map<string, { current: number; floor: number }>>();
  #losses = 0;

  constructor(boundMs: number) {
    this.#boundMs = boundMs;
  }

  /** Tokens that a strict route must not accept any more at a time. */
  *overdue(at: number): Generator<string> {
    for (const { token, endedAt } of this.#tokens.values()) if (at > endedAt + this.#boundMs) yield token;
  }

  event(event: HistoryEvent): void {
    this.#events.push(event);
    for (const effect of event.effects) {
      this.#bump(event, effect);
      for (const login of this.#logins.values())
        if (effect.ends && login.at <= event.at && concerns(effect, login))
          login.endedAt = Math.min(login.endedAt, event.at);
      for (const token of this.#tokens.values()) {
        const login = this.#logins.get(token.sid);
        if (login && token.at <= event.at && (concerns(effect, login) || effect.keeps === token.sid))
          token.endedAt = Math.min(token.endedAt, event.at);
      }
    }
  }

  #bump({ time, at, partition, offset }: HistoryEvent, { scope, ends, device }: HistoryEffect): void {
    const key = device === undefined ? scope : deviceKey(scope, device);
    const bumps = this.#bumps.get(key) ?? [];
    const version = Math.max((bumps.at(-1)?.version ?? 0) + 1, time);
    bumps.push({ version, ends, at, partition, offset });
    this.#bumps.set(key, bumps);
  }

  /** Redis has applied a partition's events up to an offset. */
  applied(partition: number, offset: number, at: number): void {
    this.#applied.push({ partition, offset, at });
  }

  token(token: HistoryToken): void {
    const { sid, subject, tenant, device, at } = token;
    let login = this.#logins.get(sid);
    if (login === undefined) {
      const scopes = new Set<string>([subjectScope(subject), REALM_SCOPE, sessionScope(sid)]);
      if (tenant !== undefined) scopes.add(tenantScope(tenant));
      login = { at, scopes, device, subject, endedAt: NEVER };
      this.#logins.set(sid, login);
    }
    // An event that came while the token was being made is not in its versions; one that ended the session ends it too.
    let endedAt = login.endedAt;
    for (const [scope, claim] of claimsOf(token))
      for (const bump of this.#bumps.get(scope) ?? []) if (claim < bump.version) endedAt = Math.min(endedAt, bump.at);
    this.#tokens.set(token.token, { ...token, endedAt });
  }

  decision({ at, by, token: id, policy, verdict }: HistoryDecision): void {
    const token = this.#tokens.get(id);
    if (token === undefined || policy !== 'strict') return;
    if (verdict === 'active' && token.endedAt < at) {
      const staleness = at - token.endedAt;
      this.largestStalenessMs = Math.max(this.largestStalenessMs, staleness);
      if (staleness > this.#boundMs)
        this.#violated('stale-accept', at, `${by} accepted ${id} of ${token.subject}, ended ${staleness} ms before`);
    }
    if (verdict === 'revoked' && !this.#mayBeRevoked(token)) {
      if (this.#losses > 0) this.overRevocations++;
      else this.#violated('false-kill', at, `${by} rejected ${id} of ${token.subject}, which nothing ended`);
    }
  }

  /** An event ended its session, or came while it was being made, and had not been applied before. */
  #mayBeRevoked(token: Token): boolean {
    if ((this.#logins.get(token.sid)?.endedAt ?? NEVER) < NEVER) return true;
    for (const [scope, claim] of claimsOf(token))
      for (const bump of this.#bumps.get(scope) ?? [])
        if (bump.ends && claim < bump.version && !this.#wasApplied(bump, token.began)) return true;
    const { device, subject, began } = token;
    const ofDevice = device === undefined ? [] : this.#bumps.get(deviceKey(subjectScope(subject), device));
    return ofDevice?.some((bump) => !this.#wasApplied(bump, began)) ?? false;
  }

  #wasApplied({ partition, offset }: Bump, before: number): boolean {
    return this.#applied.some((one) => one.partition === partition && one.offset >= offset && one.at < before);
  }

  /** Redis lost writes: what it holds may fall, this once. */
  lost(where: string): void {
    this.#losses++;
    this.#seen.delete(where);
  }

  /** What Redis, or a replica, holds of a scope now. */
  version(where: string, scope: string, { current, floor }: { current: number; floor: number }, at: number): void {
    let seen = this.#seen.get(where);
    if (seen === undefined) {
      seen = new Map();
      this.#seen.set(where, seen);
    }
    const before = seen.get(scope);
    if (before && (current < before.current || floor < before.floor))
      this.#violated(
        'version-fell',
        at,
        `${scope} in ${where}: ${before.current}/${before.floor} to ${current}/${floor}`,
      );
    seen.set(scope, { current, floor });
  }

  /** A replica has forgotten scopes; they may come back as they were announced earlier. */
  forgot(where: string): void {
    this.#seen.delete(where);
  }

  /** An announcement tells of an event; it may tell a later version, but no earlier one. */
  announcement(
    { scope, current, offset }: { scope: ScopeKey; current: number; offset: number },
    partition: number,
    at: number,
  ): void {
    const bump = this.#bumps.get(scope)?.find((one) => one.offset === offset && one.partition === partition);
    if (bump && current < bump.version)
      this.#violated('announced-below-event', at, `${scope} as ${current}, the event's own is ${bump.version}`);
  }

  /** Judges what is left when all faults have stopped and everything has come through. */
  end({ at, versions, announced, rejected }: HistoryEnd): void {
    for (const { id, effects } of this.#events)
      if (effects.some(({ device }) => device === undefined) && !announced.has(id) && !rejected.has(id))
        this.#violated('event-lost', at, `${id} was never announced`);
    for (const [scope, bumps] of this.#bumps) {
      if (!isScopeKey(scope)) continue;
      const version = bumps.at(-1)?.version ?? 0;
      const floor = bumps.findLast(({ ends }) => ends)?.version ?? 0;
      const held = versions.get(scope) ?? { current: 0, floor: 0 };
      if (held.current < version || held.floor < floor)
        this.#violated('event-lost', at, `${scope} is ${held.current}/${held.floor} in Redis, not ${version}/${floor}`);
      else if (held.current > version && sessionOfScope(scope) === undefined)
        this.#violated('version-differs', at, `${scope} is ${held.current} in Redis, and ${version} by the log`);
    }
  }

  /** Something is not as it should be that the caller has found itself. */
  notConverged(at: number, text: string): void {
    this.#violated('not-converged', at, text);
  }

  #violated(kind: ViolationKind, at: number, text: string): void {
    this.violations.push({ kind, at, text });
  }
}

/** Under which a device's events are kept; it is no scope. */
const deviceKey = (scope: string, device: string): string => `device ${device} of ${scope}`;

const concerns = (effect: HistoryEffect, login: Login): boolean =>
  effect.device === undefined
    ? login.scopes.has(effect.scope) && !(effect.keeps !== undefined && login.scopes.has(sessionScope(effect.keeps)))
    : effect.device === login.device && effect.scope === subjectScope(login.subject);

function claimsOf({ subject, tenant, s, t, r }: HistoryToken): [string, number][] {
  const claims: [string, number][] = [
    [subjectScope(subject), s],
    [REALM_SCOPE, r],
  ];
  if (tenant !== undefined) claims.push([tenantScope(tenant), t]);
  return claims;
}
