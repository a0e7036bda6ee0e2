import { partitionOf, type VersionRecord } from '@curfew/contracts';
import { type SessionVersions, sessionVersions } from '@curfew/replica';
import { trace } from '@opentelemetry/api';
import { beforeEach, describe, expect, test } from 'vitest';
import { clockOf } from '../../../libs/sidecar/src/clock.ts';
import { VersionsView } from '../../../libs/sidecar/src/versions-view.ts';
import { recordSpans } from '../../support/recorded-spans.ts';
import { CLAIMS, NOW } from './issuer.ts';
import { BOUND } from './store.ts';

const HORIZON = NOW - 1000;

const PARTITIONS = 12;

let view: VersionsView;
let warnings: string[];
let progress: number;
let raised: string[];
let now: number;

beforeEach(() => {
  [warnings, progress, raised, now] = [[], 0, [], NOW];
  view = new VersionsView({
    maxEntries: 100,
    windowMs: 900_000,
    maxClockSkewMs: 0,
    clock: clockOf(() => now),
    onWarning: (message) => warnings.push(message),
    onRaised: ({ current }, span, partition) =>
      raised.push(`${current} in ${partition} ${span.isRecording() && trace.getActiveSpan() === span}`),
    onProgress: () => progress++,
  });
});

const session = (s = 10, at = NOW): SessionVersions => sessionVersions({ ...CLAIMS, ver: { s, t: 0, r: 0, at } });
const record = (version: number): VersionRecord => ({
  kind: 'version',
  scope: 'u:alice',
  current: version,
  floor: version,
  at: 0,
  why: 'x',
  id: 'x',
  offset: 0,
});
const apply = (version: number, announcedAt: number) => view.apply(3, record(version), announcedAt, 0, { headers: [] });

const tick = (at = now) => {
  for (let partition = 0; partition < PARTITIONS; partition++)
    view.apply(partition, { kind: 'tick', tick: at, offset: 0 }, at, 0, { headers: [] });
};
function goLive(): void {
  view.begin(PARTITIONS, HORIZON);
  tick();
}
const check = (of: SessionVersions) => view.check(of, BOUND);

describe('the view', () => {
  test('tells how far the clock of the broker is ahead of its own, or behind, by what it dated and came here quickest', () => {
    view.begin(PARTITIONS, HORIZON);
    expect(view.brokerLeadMs).toBe(Number.NEGATIVE_INFINITY);
    apply(11, NOW - 340);
    expect(view.brokerLeadMs).toBe(-340);
    tick(NOW - 300);
    now += 1000;
    tick(NOW + 690);
    expect(view.brokerLeadMs).toBe(-300);
    apply(12, NOW + 1010);
    expect(view.brokerLeadMs).toBe(10);
  });

  test('proves nothing before the topic is known, and nothing before its first ticks', () => {
    expect(check(session())).toBe('unprovable');
    expect([view.partitions, view.viewAgesMs()]).toEqual([undefined, []]);
    view.begin(PARTITIONS, HORIZON);
    expect(check(session())).toBe('unprovable');
    expect(view.viewAgesMs()).toEqual(Array(PARTITIONS).fill(Number.POSITIVE_INFINITY));
    tick();
    expect(check(session())).toBe('active');
    now += 400;
    expect(view.viewAgesMs()).toEqual(Array(PARTITIONS).fill(400));
  });

  test('proves nothing any more once the bound is over without a tick', () => {
    goLive();
    now += BOUND;
    expect(check(session())).toBe('active');
    now += 1;
    expect(check(session())).toBe('unprovable');
    tick();
    expect(check(session())).toBe('active');
  });

  test('ends sessions by what it has read so far, also without a tick', () => {
    view.begin(PARTITIONS, HORIZON);
    apply(11, NOW);
    expect(check(session())).toBe('revoked');
  });

  test('finds a bump for a session that was asked about before anything was known', () => {
    const early = session();
    expect(check(early)).toBe('unprovable');
    goLive();
    expect(check(early)).toBe('active');
    apply(11, NOW);
    expect(check(early)).toBe('revoked');
  });

  test('remembers the lead of a tick that was read elsewhere before the topic was known', () => {
    view.noteTick(NOW + 700);
    view.begin(PARTITIONS, HORIZON);
    expect([view.largestLeadMs, view.skewMs]).toEqual([700, 700]);
  });

  test('proves no session from before a record that it cannot understand', () => {
    goLive();
    view.undecodable(3, NOW, 7);
    expect(check(session(10, NOW))).toBe('unprovable');
    expect(check(session(10, NOW + 1))).toBe('active');
    expect(view.undecodableRecords).toBe(1);
    expect(warnings[0]).toContain('partition 3 offset 7 cannot be understood');
  });

  test('proves nothing by a partition whose answer cannot be decoded, until its next tick', () => {
    goLive();
    view.unreadable(partitionOf('alice', PARTITIONS));
    expect(check(session())).toBe('unprovable');
    expect([view.undecodableAnswers, warnings.length]).toEqual([1, 1]);
    tick();
    expect(check(session())).toBe('active');
  });

  test('proves nothing by a partition whose log is another one until its next tick, and no session from before', () => {
    goLive();
    apply(5, NOW);
    now = NOW + 1000;
    tick();
    view.gap(partitionOf('alice', PARTITIONS));
    expect(check(session(10, now + 1))).toBe('unprovable');
    tick();
    expect(check(session(10, now))).toBe('unprovable');
    expect(check(session(10, now + 1))).toBe('active');
    expect(check(session(4, now + 1))).toBe('revoked');
  });

  test('that is closed proves nothing, and ends sessions still', () => {
    goLive();
    apply(5, NOW);
    view.close();
    expect(check(session())).toBe('unprovable');
    expect(check(session(4))).toBe('revoked');
  });

  test('says how far each partition was applied: offset, tick and age', () => {
    expect(view.receiptPartitions(NOW)).toEqual([]);
    view.begin(PARTITIONS, HORIZON);
    const nothing = { offset: -1, tick: 0, ageMs: NOW };
    expect(view.receiptPartitions(NOW)).toEqual(Array(PARTITIONS).fill(nothing));
    view.apply(3, { ...record(11), offset: 7 }, NOW, 90, { headers: [] });
    expect(view.receiptPartitions(NOW)[3]).toEqual({ ...nothing, offset: 7 });
    view.apply(3, { ...record(11), offset: 8, more: true }, NOW, 91, { headers: [] });
    expect(view.receiptPartitions(NOW)[3]?.offset).toBe(7);
    view.apply(3, { kind: 'tick', tick: NOW + 10, offset: 8 }, NOW, 92, { headers: [] });
    expect(view.receiptPartitions(NOW + 30)[3]).toEqual({ offset: 8, tick: NOW + 10, ageMs: 30 });
    expect(view.receiptPartitions(NOW)[4]).toEqual({ ...nothing, ageMs: NOW + 10 });
  });

  test('takes back how far a partition was applied where its log is another one', () => {
    goLive();
    view.apply(3, { ...record(11), offset: 7 }, NOW, 90, { headers: [] });
    view.gap(3);
    expect(view.receiptPartitions(NOW)[3]).toEqual({ offset: -1, tick: 0, ageMs: NOW });
    view.apply(3, { ...record(12), offset: 2 }, NOW, 4, { headers: [] });
    expect(view.receiptPartitions(NOW)[3]?.offset).toBe(2);
  });

  test('passes on what the reader says of its progress', () => {
    view.progress();
    expect(progress).toBe(1);
  });
});

describe('an applied record', () => {
  const spans = recordSpans();

  test('is a span of the trace that its event began, where it carries one; a tick is none', () => {
    goLive();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = [[Buffer.from('traceparent'), Buffer.from(traceparent)]] as const;
    view.apply(3, record(11), NOW, 40, { headers });
    view.apply(3, { kind: 'tick', tick: NOW, offset: 1 }, NOW, 41, { headers });
    expect(spans.map(({ name }) => name)).toEqual(['apply session version']);
    expect(spans[0]?.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(spans[0]?.attributes).toMatchObject({ 'kafka.offset': 40, 'curfew.event.type': 'x' });
  });

  test('is told of with its span where it raised a version, and not when it comes again', () => {
    for (const version of [11, 11, 10, 12]) view.apply(3, record(version), NOW, 40, { headers: [] });
    expect(raised).toEqual(['11 in 3 true', '12 in 3 true']);
  });
});
