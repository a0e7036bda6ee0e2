import { REALM_SCOPE, type ScopeKey, sessionScope, subjectScope, tenantScope } from '@curfew/contracts';
import type { Grant, History, LoggedEvent, Publication } from './history.ts';

/** What one event of the log did to one scope, told from the log alone. */
export interface Bump {
  readonly scope: ScopeKey;
  /** The scope's version after it. */
  readonly version: number;
  readonly ends: boolean;
  readonly keeps: string | undefined;
  readonly blocked: boolean | undefined;
  readonly event: LoggedEvent;
  /** Absent: it was published by nobody who waited for it. */
  readonly sent: Publication | undefined;
}

/** Folds the log as DESIGN section 4 says, and not as the program does it: what the program did is compared with this. */
export function bumpsOf({ log, publications }: Pick<History, 'log' | 'publications'>): Map<string, Bump[]> {
  const byId = new Map(publications.map((publication) => [publication.id, publication]));
  /** A record that was sent again is in the log twice, and one of the two is what was acknowledged. */
  const sentAs = ({ id, partition, offset }: LoggedEvent): Publication | undefined => {
    const sent = byId.get(id);
    const acknowledged = sent?.place?.partition === partition && sent.place.offset === offset;
    return sent === undefined || acknowledged ? sent : { id, sentAt: sent.sentAt };
  };
  const byScope = new Map<string, Bump[]>();
  for (const event of log.toSorted((a, b) => a.offset - b.offset))
    for (const { scope, ends, keeps, blocked } of event.effects) {
      const bumps = byScope.get(scope) ?? [];
      byScope.set(scope, bumps);
      const version = Math.max((bumps.at(-1)?.version ?? 0) + 1, event.time);
      bumps.push({ scope, version, ends, keeps, blocked, event, sent: sentAs(event) });
    }
  return byScope;
}

/** A grant's scopes, each with the version that it carries. A tombstone is above any. */
export const claimsOf = ({ subject, tenant, sid, version }: Grant): readonly (readonly [ScopeKey, number])[] => [
  [subjectScope(subject), version.s],
  [tenantScope(tenant), version.t],
  [REALM_SCOPE, version.r],
  [sessionScope(sid), 0],
];
