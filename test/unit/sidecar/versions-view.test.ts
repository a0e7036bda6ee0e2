import type { VersionRecord } from '@curfew/contracts';
import { type SessionVersions, sessionVersions } from '@curfew/replica';
import { beforeEach, describe, expect, test } from 'vitest';
import { VersionsView } from '../../../libs/sidecar/src/versions-view.ts';
import { recordSpans } from '../../support/recorded-spans.ts';
import { CLAIMS, NOW } from './issuer.ts';

const HORIZON = NOW - 1000;

let view: VersionsView;
let missing: string[];
let warnings: string[];
let lives: number;
let now: number;

beforeEach(() => {
  [missing, warnings, lives, now] = [['catching up'], [], 0, NOW];
  view = new VersionsView({
    maxEntries: 100,
    maxClockSkewMs: 0,
    now: () => now,
    onWarning: (message) => warnings.push(message),
    onLive: () => lives++,
    missing: () => missing,
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

function goLive(): void {
  view.turn('starting');
  view.begin(12, HORIZON);
  missing = [];
  view.progress();
}

describe('the view', () => {
  test('proves nothing before it is started, and nothing while it catches up', () => {
    expect(view.check(session())).toBe('unprovable');
    view.turn('starting');
    expect(view.check(session())).toBe('unprovable');
    view.begin(12, HORIZON);
    view.progress();
    expect(view.check(session())).toBe('unprovable');
    missing = [];
    view.progress();
    expect(view.check(session())).toBe('active');
    expect([view.status, lives, view.partitions]).toEqual(['live', 1, 12]);
  });

  test('ends sessions by what it has read so far, also while it catches up', () => {
    view.turn('starting');
    view.begin(12, HORIZON);
    apply(11, NOW);
    expect(view.check(session())).toBe('revoked');
  });

  test('finds a bump for a session that was asked about before anything was known', () => {
    const early = session();
    expect(view.check(early)).toBe('unprovable');
    goLive();
    expect(view.check(early)).toBe('active');
    apply(11, NOW);
    expect(view.check(early)).toBe('revoked');
  });

  test('is degraded while the feed is lost, says so once, and keeps its word until it is live again', () => {
    goLive();
    missing = ['has no leader'];
    view.progress();
    view.progress();
    expect([view.status, warnings]).toEqual(['degraded', ['the feed is lost: has no leader']]);
    expect(view.check(session())).toBe('active');
    missing = [];
    view.progress();
    expect([view.status, lives]).toEqual(['live', 2]);
  });

  test('proves no session from before a record that it cannot understand', () => {
    goLive();
    view.undecodable(3, NOW, 7);
    expect(view.check(session(10, NOW))).toBe('unprovable');
    expect(view.check(session(10, NOW + 1))).toBe('active');
    expect(view.undecodableRecords).toBe(1);
    expect(warnings[0]).toContain('partition 3 offset 7 cannot be understood');
  });

  test('proves no session from before a gap in the log, and forgets nothing', () => {
    goLive();
    apply(5, NOW);
    now = NOW + 5000;
    view.gap(3);
    expect(view.check(session(10, now))).toBe('unprovable');
    expect(view.check(session(10, now + 1))).toBe('active');
    expect(view.check(session(4, now + 1))).toBe('revoked');
  });

  test('is closed for good', () => {
    goLive();
    expect(view.turn('closed')).toBe(true);
    expect(view.turn('starting')).toBe(false);
    expect(view.check(session())).toBe('unprovable');
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
    expect(spans[0]?.attributes).toMatchObject({ 'messaging.kafka.offset': 40 });
  });
});
