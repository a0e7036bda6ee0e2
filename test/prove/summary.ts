import { bumpsOf } from './bumps.ts';
import { type Findings, fateOf, stalenessOf } from './checker.ts';
import { type History, OUTCOMES, type Outcome } from './history.ts';

/** What happened in one second of a run. */
interface Second {
  readonly outcomes: Partial<Record<Outcome, number>>;
  /** How old the oldest event was that an accepted token should have been rejected by, ms. */
  stalenessMs: number;
}

export interface Summary {
  readonly seconds: readonly Second[];
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly bySource: Readonly<Record<string, number>>;
  readonly byMember: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly signIns: number;
  readonly refreshes: number;
  readonly acknowledged: number;
  readonly unacknowledged: number;
  /** Share of answers on strict routes that decided, either way. */
  readonly decidedShare: number;
  /** Of accepts of ended sessions, how long after the event they came, ms. */
  readonly staleness: {
    readonly count: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly maxMs: number;
  };
}

const count = <T extends string>(names: Iterable<T>): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

export function summaryOf(history: History, { stalenessMs }: Findings): Summary {
  const { from, to, decisions, grants, publications, faults, boundMs } = history;
  const bumps = bumpsOf(history);
  const fates = grants.map((grant) => fateOf(grant, bumps, boundMs));
  const seconds = Array.from(
    { length: Math.ceil((to - from) / 1000) + 1 },
    (): Second => ({ outcomes: {}, stalenessMs: 0 }),
  );
  const late: number[] = [];
  for (const decision of decisions) {
    const second = seconds[Math.floor((decision.at - from) / 1000)];
    const staleness = stalenessOf(decision, fates);
    if (staleness > 0) late.push(staleness);
    if (second === undefined) continue;
    second.outcomes[decision.outcome] = (second.outcomes[decision.outcome] ?? 0) + 1;
    second.stalenessMs = Math.max(second.stalenessMs, staleness);
  }
  late.sort((a, b) => a - b);
  const strict = decisions.filter(({ policy }) => policy === 'strict');
  const undecided = strict.filter(({ outcome }) => ['view_stale', 'not_ready', 'unanswered'].includes(outcome));
  const outcomes = count(decisions.map(({ outcome }) => outcome));
  return {
    seconds,
    outcomes: Object.fromEntries(OUTCOMES.map((outcome) => [outcome, outcomes[outcome] ?? 0])) as Summary['outcomes'],
    bySource: count(decisions.map(({ source }) => source)),
    byMember: count(decisions.map(({ member }) => member)),
    faults: count(faults.map(({ kind }) => kind)),
    signIns: grants.filter(({ refreshOf }) => refreshOf === undefined).length,
    refreshes: grants.filter(({ refreshOf }) => refreshOf !== undefined).length,
    acknowledged: publications.filter(({ ackedAt }) => ackedAt !== undefined).length,
    unacknowledged: publications.filter(({ ackedAt }) => ackedAt === undefined).length,
    decidedShare: strict.length === 0 ? 0 : 1 - undecided.length / strict.length,
    staleness: {
      count: late.length,
      p50Ms: late[Math.floor(late.length * 0.5)] ?? 0,
      p99Ms: late[Math.floor(late.length * 0.99)] ?? 0,
      maxMs: stalenessMs,
    },
  };
}
