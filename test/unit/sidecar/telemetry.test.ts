import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startTelemetry, type Telemetry } from '@curfew/telemetry/start';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Authenticator } from '../../../libs/sidecar/src/authenticator.ts';
import { clockOf } from '../../../libs/sidecar/src/clock.ts';
import { reportMetrics } from '../../../libs/sidecar/src/metrics.ts';
import { CLAIMS, NOW } from './issuer.ts';

let telemetry: Telemetry;
const server = createServer((request, response) => telemetry.serveMetrics(request, response));

beforeAll(async () => {
  telemetry = startTelemetry('sidecar-test');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await telemetry.shutdown();
});

async function scraped(): Promise<Map<string, string>> {
  const reply = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
  const lines = (await reply.text()).split('\n').filter((line) => line.startsWith('curfew'));
  return new Map(lines.map((line) => line.replace(/,?otel_scope_name="curfew"/, '').split(' ') as [string, string]));
}

describe('the metrics of a sidecar', () => {
  test('tell its decisions, its cache and its replica until it is closed', async () => {
    const authenticator = new Authenticator({
      checkToken: async (token) =>
        token === 'good' ? { ok: true, claims: CLAIMS } : { ok: false, code: 'session_invalid' },
      checkAt: () => 'active',
      readThrough: undefined,
      acceptances: { add: () => {}, takeBack: () => {} },
      tokenCacheSize: 10,
      clock: clockOf(() => NOW),
    });
    const metrics = reportMetrics({
      counts: authenticator.counts,
      cookieCounts: { cookieHits: 4, cookieMisses: 5, invalidRecords: 6 },
      entries: () => 7,
      undecodableRecords: () => 2,
      undecodableAnswers: () => 3,
      viewAgesMs: () => [750, Number.POSITIVE_INFINITY],
      maxViewAgeMs: 2000,
      largestLeadMs: () => 40,
      state: () => 'behind',
    });
    for (const token of ['good', 'good', 'good', 'bad']) await authenticator.authenticate(token, 'strict', 2000);
    authenticator.counts.policy.cross_site_request++;
    metrics.onRead(3, true);
    metrics.onStatus('behind');
    const before = await scraped();
    metrics.onApplied(2.5, false);
    metrics.onApplied(-1, true);
    metrics.onExposed(3);
    metrics.onReceipt(true);
    metrics.onReceipt(false);
    const told = await scraped();
    expect(told.get('curfew_verdicts_total{verdict="active",source="memory"}')).toBe('3');
    expect(told.get('curfew_verdicts_total{verdict="invalid",source="token"}')).toBe('1');
    expect(told.get('curfew_verdicts_total{verdict="revoked",source="store"}')).toBe('0');
    expect(told.get('curfew_verdicts_total{verdict="cross_site_request",source="policy"}')).toBe('1');
    expect(told.get('curfew_token_cache_hits_total{}')).toBe('2');
    expect(told.get('curfew_token_cache_misses_total{}')).toBe('2');
    expect(told.get('curfew_cookie_cache_hits_total{}')).toBe('4');
    expect(told.get('curfew_records_invalid_total{}')).toBe('6');
    expect(told.get('curfew_replica_entries{}')).toBe('7');
    expect(told.get('curfew_records_undecodable_total{}')).toBe('2');
    expect(told.get('curfew_read_through_duration_bucket{ok="true",le="0.005"}')).toBe('1');

    expect(told.get('curfew_answers_undecodable_total{}')).toBe('3');
    expect(told.get('curfew_view_age{partition="0"}')).toBe('0.75');
    expect(told.get('curfew_view_age{partition="1"}')).toBeUndefined();
    expect(told.get('curfew_view_bound{}')).toBe('2');
    expect(told.get('curfew_clock_lead{}')).toBe('0.04');
    expect(told.get('curfew_sidecar_status{state="behind"}')).toBe('1');
    expect(told.get('curfew_sidecar_status{state="live"}')).toBe('0');
    expect(told.get('curfew_sidecar_status_changes_total{to="behind"}')).toBe('1');
    expect(before.get('curfew_exposed_requests_total{}')).toBe('0');
    expect(told.get('curfew_exposed_requests_total{}')).toBe('3');
    expect(told.get('curfew_propagation_duration_bucket{canary="false",le="0.002"}')).toBe('0');
    expect(told.get('curfew_propagation_duration_bucket{canary="false",le="0.003"}')).toBe('1');
    expect(told.get('curfew_propagation_duration_sum{canary="true"}')).toBe('0');
    expect(told.get('curfew_receipts_sent_total{}')).toBe('1');
    expect(told.get('curfew_receipts_failed_total{}')).toBe('1');

    metrics.stop();
    await authenticator.authenticate('bad', 'strict', 2000);
    expect((await scraped()).get('curfew_verdicts_total{verdict="invalid",source="token"}')).not.toBe('2');
  });
});
