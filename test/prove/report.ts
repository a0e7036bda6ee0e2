import { formatTable } from '../../infra/local/table.mjs';
import { type Findings, RECOVERY_LIMIT_MS, type Violation } from './checker.ts';
import type { History } from './history.ts';
import type { Summary } from './summary.ts';

const MAX_EXAMPLES = 3;
const count = (n: number): string => n.toLocaleString('en-US');

/** The report for a person. */
export function reportText(history: History, findings: Findings, summary: Summary, repeat: string): string {
  const { violations, overRevoked } = findings;
  const { staleness, outcomes } = summary;
  const strictlyUndecided = outcomes.view_stale + outcomes.not_ready;
  const rows: [string, string][] = [
    ['faults', `${count(history.faults.length)} of ${Object.keys(summary.faults).length} kinds`],
    ['decisions', `${count(history.decisions.length)} by ${Object.keys(summary.byMember).length} sidecars`],
    [
      '',
      `${count(outcomes.accepted)} accepted, ${count(outcomes.session_revoked)} revoked, ${count(outcomes.session_stale)} stale`,
    ],
    ['', `${count(strictlyUndecided)} answered 503, ${count(outcomes.unproven)} accepted unproven (lenient routes)`],
    ['account events', `${count(summary.acknowledged)} acknowledged, ${count(summary.unacknowledged)} not`],
    ['sign-ins, refreshes', `${count(summary.signIns)}, ${count(summary.refreshes)}`],
    ['largest staleness', `${count(staleness.maxMs)} ms; the bound is ${count(history.boundMs)} ms`],
    ['', `${count(staleness.count)} accepts of ended sessions: p50 ${staleness.p50Ms} ms, p99 ${staleness.p99Ms} ms`],
    ['decided on strict routes', `${(summary.decidedShare * 100).toFixed(1)} %`],
    [
      'recovery',
      history.recoveryMs === undefined
        ? 'never'
        : `${(history.recoveryMs / 1000).toFixed(1)} s after the last fault; at most ${RECOVERY_LIMIT_MS / 1000} s`,
    ],
    ['losses of Redis', `${count(history.losses.length / 2)}; ${count(overRevoked)} rejections only they explain`],
    ['violations', count(violations.length)],
  ];
  return [formatTable([{ title: 'measured' }, { title: '' }], rows), ...explained(violations), `Again: ${repeat}`].join(
    '\n\n',
  );
}

function explained(violations: readonly Violation[]): string[] {
  return [...Map.groupBy(violations, ({ kind }) => kind)].map(([kind, those]) =>
    [
      `✗ ${kind}: ${count(those.length)}`,
      ...those
        .slice(0, MAX_EXAMPLES)
        .map(({ what, at }) => `    ${at === undefined ? '' : `${new Date(at).toISOString()} `}${what}`),
    ].join('\n'),
  );
}

/** The report for a program: everything that the text says, and the violations and faults one by one. */
export const reportJson = (history: History, findings: Findings, summary: Summary, run: object): string =>
  `${JSON.stringify(
    {
      run,
      violations: findings.violations,
      overRevoked: findings.overRevoked,
      ...summary,
      boundMs: history.boundMs,
      recoveryMs: history.recoveryMs,
      timeline: { from: history.from, to: history.to, faults: history.faults },
    },
    undefined,
    2,
  )}\n`;
