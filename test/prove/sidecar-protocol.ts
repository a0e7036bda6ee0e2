import type { SidecarOptions } from '@curfew/sidecar';
import { type Decision, OUTCOMES, POLICIES, SOURCES } from './history.ts';

/** What a process that embeds a sidecar is started with, as JSON in `CURFEW_PROVE_SIDECAR`. */
export interface SidecarSettings extends Pick<SidecarOptions, 'brokers' | 'issuer' | 'audience' | 'service'> {
  readonly redisUrl: string;
  readonly windowMs: number;
  readonly maxEntries: number;
  readonly maxViewAgeMs: number;
  /** How far its clock is ahead, ms. */
  readonly skewMs: number;
  readonly seed: number;
  readonly decisionsPerSecond: number;
}

export type ToSidecar =
  | { readonly kind: 'token'; readonly token: number; readonly accessToken: string }
  | { readonly kind: 'judge'; readonly tokens: readonly number[] };

/** Rows of six numbers: token, policy, outcome, source, at, tookMs. */
export interface FromSidecar {
  readonly kind: 'decisions' | 'verdicts';
  readonly rows: readonly number[];
}

const COLUMNS = 6;

export function decisionsOf(member: string, rows: readonly number[]): Decision[] {
  const decisions: Decision[] = [];
  for (let i = 0; i < rows.length; i += COLUMNS) {
    const [token = 0, policy = 0, outcome = 0, source = 0, at = 0, tookMs = 0] = rows.slice(i, i + COLUMNS);
    decisions.push({
      member,
      token,
      policy: POLICIES[policy] ?? 'strict',
      outcome: OUTCOMES[outcome] ?? 'unanswered',
      source: SOURCES[source] ?? 'unknown',
      at,
      tookMs,
    });
  }
  return decisions;
}
