import { expect, test } from 'vitest';
import { chartOf } from '../../prove/chart.ts';
import { check } from '../../prove/checker.ts';
import { reportJson, reportText } from '../../prove/report.ts';
import { summaryOf } from '../../prove/summary.ts';
import { BOUND_MS, decisionOf, historyOf } from './history-of.ts';

const APPENDED_AT = 1000;
const late = historyOf({
  faults: [{ kind: 'link to Kafka silent', target: 'sidecar-1 → kafka', from: 2000, to: 9000 }],
  decisions: [
    decisionOf({ at: APPENDED_AT + 300 }),
    decisionOf({ at: APPENDED_AT + BOUND_MS + 500 }),
    decisionOf({ at: 4000, outcome: 'view_stale' }),
  ],
});
const findings = check(late);
const summary = summaryOf(late, findings);

test('a report says how many violations there are, which, and how to see them again', () => {
  const text = reportText(late, findings, summary, 'npm run prove -- --seed 7');
  expect(text).toMatch(/violations +1$/m);
  expect(text).toMatch(/largest staleness +2,500 ms; the bound is 2,000 ms/);
  expect(text).toContain('✗ stale accept: 1');
  expect(text).toContain('Again: npm run prove -- --seed 7');
});

test('a report counts accepts after an end by how late they were', () => {
  expect(summary.staleness).toEqual({ count: 2, p50Ms: 2500, p99Ms: 2500, maxMs: 2500 });
  expect(summary.decidedShare).toBeCloseTo(2 / 3);
  expect(summary.seconds[3]).toEqual({ outcomes: { accepted: 1 }, stalenessMs: 2500 });
});

test('a report for programs holds the violations and the faults one by one', () => {
  const report = JSON.parse(reportJson(late, findings, summary, { seed: 7 }));
  expect(report).toMatchObject({ run: { seed: 7 }, violations: [{ kind: 'stale accept' }], boundMs: BOUND_MS });
  expect(report.timeline.faults).toEqual(late.faults);
});

test('a picture shows the bound, the staleness and every fault, and is well-formed', () => {
  const picture = chartOf(late, summary, 'Curfew <under> faults');
  expect(picture).toContain('bound 2000');
  expect(picture).toContain('link to Kafka silent: sidecar-1 → kafka, 7.0 s');
  expect(picture).toContain('Curfew &#60;under&#62; faults');
  expect(picture).toMatch(/<polyline points="[\d., ]+"/);
  expect(picture).not.toMatch(/NaN|undefined|Infinity/);
});
