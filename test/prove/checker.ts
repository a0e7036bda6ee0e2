import { type Bump, bumpsOf, claimsOf } from './bumps.ts';
import type { Decision, Grant, History, StoredVersion } from './history.ts';

/** What must never be in a history. */
export interface Violation {
  readonly kind: ViolationKind;
  /** In words, with the names that the logs know. */
  readonly what: string;
  readonly at?: number;
}

type ViolationKind =
  | 'stale accept'
  | 'false kill'
  | 'ended session renewed'
  | 'blocked sign-in'
  | 'version fell'
  | 'announced too low'
  | 'early tick'
  | 'event lost'
  | 'sidecars disagree'
  | 'not recovered';

export interface Findings {
  readonly violations: readonly Violation[];
  /** Longest time after an event was appended that a token which it ended was accepted as proven, ms. */
  readonly stalenessMs: number;
  /** Rejections as revoked that nothing but a loss of Redis explains. */
  readonly overRevoked: number;
}

/** How long before a loss of Redis a grant may be touched by what is lost and restored, ms. */
const LOSS_REACH_MS = 15_000;

/** Longest time after the last fault until every sidecar accepts again, ms. */
export const RECOVERY_LIMIT_MS = 10_000;

/** Checks a history against the guarantee and the invariants. Pure. */
export function check(history: History): Findings {
  const bumps = bumpsOf(history);
  const fates = history.grants.map((grant) => fateOf(grant, bumps, history.boundMs));
  const kills = falseKills(history, fates);
  return {
    violations: [
      ...staleAccepts(history, fates),
      ...kills.violations,
      ...renewals(history, bumps),
      ...blockedSignIns(history, bumps),
      ...falls(history),
      ...announcements(history, bumps),
      ...lost(history, bumps),
      ...disagreements(history, bumps),
      ...recovery(history),
    ],
    stalenessMs: history.decisions.reduce((most, decision) => Math.max(most, stalenessOf(decision, fates)), 0),
    overRevoked: kills.overRevoked,
  };
}

/** When a grant ended, and from when on it may be rejected. */
export interface Fate {
  /**
   * When the first event that ends it or makes it stale, and was acknowledged, was appended to the log; Infinity: none.
   * An acknowledgement comes later, and whoever waits for it sees it later still: this is stricter than the guarantee.
   */
  readonly endedAt: number;
  /** When the first event that may end it reached the log. */
  readonly killableAt: number;
}

export function fateOf(grant: Grant, bumps: ReadonlyMap<string, readonly Bump[]>, boundMs: number): Fate {
  let endedAt = Number.POSITIVE_INFINITY;
  let killableAt = Number.POSITIVE_INFINITY;
  for (const [scope, claim] of claimsOf(grant))
    for (const { version, ends, event, sent } of bumps.get(scope) ?? []) {
      const ackedAt = sent?.ackedAt ?? Number.POSITIVE_INFINITY;
      // By its version; and whatever its version says, where the token was there before the event was sent.
      const ended = claim < version || (sent !== undefined && grant.receivedAt < sent.sentAt);
      if (ended && sent?.ackedAt !== undefined) endedAt = Math.min(endedAt, event.time);
      const precedes =
        ackedAt + boundMs < grant.requestedAt ||
        (grant.after?.partition === event.partition && event.offset <= grant.after.offset);
      if (ends && !precedes) killableAt = Math.min(killableAt, event.time);
    }
  return { endedAt, killableAt };
}

/** How old the event is that a decision should have rejected by, ms; 0 where there is none. */
export const stalenessOf = ({ token, outcome, at }: Decision, fates: readonly Fate[]): number =>
  outcome === 'accepted' ? Math.max(0, at - (fates[token]?.endedAt ?? Number.POSITIVE_INFINITY)) : 0;

function staleAccepts({ decisions, boundMs }: History, fates: readonly Fate[]): Violation[] {
  return decisions.flatMap((decision): Violation[] => {
    const { policy, member, token, at, source } = decision;
    const staleness = stalenessOf(decision, fates);
    if (staleness <= boundMs) return [];
    const what = `${member} (${policy}, ${source}) accepted token ${token} ${staleness} ms after the event that ended it`;
    return [{ kind: 'stale accept', what, at }];
  });
}

function falseKills({ decisions, grants, losses }: History, fates: readonly Fate[]) {
  const violations: Violation[] = [];
  let overRevoked = 0;
  for (const { outcome, token, at, tookMs, member } of decisions) {
    if (outcome !== 'session_revoked' || at + tookMs >= (fates[token]?.killableAt ?? 0)) continue;
    const since = (grants[token]?.requestedAt ?? 0) - LOSS_REACH_MS;
    if (losses.some((loss) => loss >= since && loss <= at + tookMs)) overRevoked++;
    else violations.push({ kind: 'false kill', what: `${member} rejected token ${token}, which nothing ended`, at });
  }
  return { violations, overRevoked };
}

/** A session that an event ended must not be refreshed into a token that lives. */
function renewals({ grants, boundMs }: History, bumps: ReadonlyMap<string, readonly Bump[]>): Violation[] {
  return grants.flatMap((grant, token): Violation[] => {
    const before = grant.refreshOf === undefined ? undefined : grants[grant.refreshOf];
    if (before === undefined) return [];
    const revived = claimsOf(grant).flatMap(([scope, claim]) =>
      (bumps.get(scope) ?? []).filter(
        ({ ends, keeps, version, sent }) =>
          ends &&
          keeps !== grant.sid &&
          sent !== undefined &&
          before.receivedAt < sent.sentAt &&
          (claim >= version || grant.requestedAt > (sent.ackedAt ?? Number.POSITIVE_INFINITY) + boundMs),
      ),
    );
    if (revived.length === 0) return [];
    const what = `token ${token} renews a session that event ${revived[0]?.event.id} had ended`;
    return [{ kind: 'ended session renewed', what, at: grant.requestedAt }];
  });
}

function blockedSignIns({ grants, boundMs }: History, bumps: ReadonlyMap<string, readonly Bump[]>): Violation[] {
  return grants.flatMap((grant, token): Violation[] => {
    const ofSubject = (bumps.get(`u:${grant.subject}`) ?? []).filter(({ blocked }) => blocked !== undefined);
    // An event that nobody waited for may have come at any time.
    const possible = ofSubject.filter(({ sent }) => (sent?.sentAt ?? 0) < grant.receivedAt);
    const last = possible.at(-1);
    const settled = (last?.sent?.ackedAt ?? Number.POSITIVE_INFINITY) + boundMs < grant.requestedAt;
    if (!last?.blocked || !settled) return [];
    const what = `token ${token} was given out although event ${last.event.id} had disabled the account`;
    return [{ kind: 'blocked sign-in', what, at: grant.requestedAt }];
  });
}

const falls = (history: History): Violation[] =>
  history.falls.map(({ scope, from, to, at }) => ({
    kind: 'version fell',
    what: `${scope} fell from ${from} to ${to} in Redis`,
    at,
  }));

/** Each announcement tells at least the version of its event, and a tick comes after all that is before it in the log. */
function announcements({ announced }: History, bumps: ReadonlyMap<string, readonly Bump[]>): Violation[] {
  const violations: Violation[] = [];
  const pending = new Map<number, Bump[]>();
  for (const bump of [...bumps.values()].flat())
    pending.set(bump.event.partition, [...(pending.get(bump.event.partition) ?? []), bump]);
  for (const list of pending.values()) list.sort((a, b) => a.event.offset - b.event.offset);

  const highest = new Map<string, StoredVersion>();
  for (const record of announced) {
    if ('tick' in record) {
      const list = pending.get(record.partition) ?? [];
      while (list[0] !== undefined && list[0].event.offset < record.offset) {
        const { scope, version, event } = list.shift() as Bump;
        if ((highest.get(scope)?.current ?? 0) < version)
          violations.push({
            kind: 'early tick',
            what: `partition ${record.partition}: the tick at ${record.offset} came before event ${event.id} at ${event.offset}`,
            at: record.tick,
          });
      }
      continue;
    }
    const { scope, current, floor, offset } = record;
    const bump = bumps.get(scope)?.find(({ event }) => event.offset === offset);
    if (bump !== undefined && (current < bump.version || (bump.ends && floor < bump.version)))
      violations.push({
        kind: 'announced too low',
        what: `${scope}: event ${bump.event.id} was announced as ${current}`,
      });
    highest.set(scope, {
      current: Math.max(current, highest.get(scope)?.current ?? 0),
      floor: Math.max(floor, highest.get(scope)?.floor ?? 0),
    });
  }
  return violations;
}

function lost(history: History, bumps: ReadonlyMap<string, readonly Bump[]>): Violation[] {
  const { publications, log, rejected, stored, announced } = history;
  const violations: Violation[] = [];
  const lose = (what: string) => violations.push({ kind: 'event lost', what });
  const placed = ({ partition, offset }: { partition: number; offset: number }) => `${partition}:${offset}`;
  const inLog = new Map(log.map((event) => [placed(event), event.id]));
  const aside = new Set(rejected.map(placed));
  for (const { id, ackedAt, place, poison } of publications) {
    if (ackedAt === undefined || place === undefined) continue;
    if (poison) {
      if (!aside.has(placed(place))) lose(`${id} was acknowledged at ${placed(place)}, and not kept aside`);
    } else if (inLog.get(placed(place)) !== id)
      lose(`event ${id} was acknowledged at ${placed(place)}, and is not there`);
  }

  const highest = new Map<string, number>();
  for (const record of announced)
    if ('scope' in record) highest.set(record.scope, Math.max(record.current, highest.get(record.scope) ?? 0));
  for (const [scope, list] of bumps) {
    const last = list.at(-1);
    if (last === undefined) continue;
    const { version, event } = last;
    if ((stored.get(scope)?.current ?? 0) < version) lose(`event ${event.id} of ${scope} is not in Redis`);
    if ((highest.get(scope) ?? 0) < version) lose(`event ${event.id} of ${scope} was not announced`);
  }
  return violations;
}

/** When the faults are over, all sidecars say the same of every token, and what the log says. */
function disagreements(history: History, bumps: ReadonlyMap<string, readonly Bump[]>): Violation[] {
  const { verdicts, grants, losses } = history;
  return verdicts.flatMap(({ token, member, outcome, policy }): Violation[] => {
    const grant = grants[token];
    if (policy !== 'strict' || grant === undefined || outcome === 'session_expired') return [];
    const expected = verdictOf(grant, bumps);
    // A replica forgets with its window what ended a session, and may remember what made it stale: no accept either way.
    if (expected === 'session_revoked' && outcome === 'session_stale') return [];
    // What a loss of Redis restores, it restores strictly.
    if (outcome === expected || (losses.length > 0 && outcome === 'session_revoked')) return [];
    return [{ kind: 'sidecars disagree', what: `${member} says ${outcome} of token ${token}, the log ${expected}` }];
  });
}

function verdictOf(grant: Grant, bumps: ReadonlyMap<string, readonly Bump[]>): Decision['outcome'] {
  const below = claimsOf(grant).flatMap(([scope, claim]) =>
    (bumps.get(scope) ?? []).filter(({ version }) => claim < version),
  );
  if (below.some(({ ends }) => ends)) return 'session_revoked';
  return below.length > 0 ? 'session_stale' : 'accepted';
}

function recovery({ recoveryMs }: History): Violation[] {
  if (recoveryMs !== undefined && recoveryMs <= RECOVERY_LIMIT_MS) return [];
  const how = recoveryMs === undefined ? 'never' : `only after ${recoveryMs} ms`;
  return [{ kind: 'not recovered', what: `every sidecar accepted again ${how} when the faults were over` }];
}
