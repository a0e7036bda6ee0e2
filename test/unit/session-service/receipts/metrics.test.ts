import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CAEP, EFFECT_RULES as RULES } from '@curfew/contracts';
import { startTelemetry, type Telemetry } from '@curfew/telemetry/start';
import { trace } from '@opentelemetry/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planOf } from '../../../../services/session-service/src/events/plan.ts';
import { createMetrics } from '../../../../services/session-service/src/metrics.ts';
import { Fleet } from '../../../../services/session-service/src/receipts/fleet.ts';
import { reportReceipts } from '../../../../services/session-service/src/receipts/metrics.ts';
import type { Outcome } from '../../../../services/session-service/src/receipts/revocation.ts';
import { opaque, PARTITIONS, recordOf, setOf } from '../../../support/account-event-records.ts';
import { BOUND, receiptOf, revocationOf } from '../../../support/receipts.ts';

const NOW = 1_000_000;
let telemetry: Telemetry;
const server = createServer((request, response) => telemetry.serveMetrics(request, response));
beforeAll(async () => {
  telemetry = startTelemetry('receipts-test');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await telemetry.shutdown();
});

async function told(): Promise<string[]> {
  const reply = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
  return (await reply.text()).replaceAll(/,?otel_scope_name="curfew"/g, '').split('\n');
}
const outcome = (by: Outcome['by']): Outcome => ({ service: 'orders', instance: by, state: 'live', by });

test('the metrics tell what sidecars say, how long each hop takes, and since when revocations are effective', async () => {
  const fleet = new Fleet();
  fleet.hear(receiptOf('a', NOW - 100));
  fleet.hear(receiptOf('b', NOW - 100));
  fleet.hear(receiptOf('c', NOW - BOUND));
  fleet.hear(receiptOf('gone', NOW - 60_000));
  const metrics = reportReceipts(fleet, () => NOW);
  metrics.onReceipt();
  metrics.onRejected();
  const span = trace.getTracer('test').startSpan('process');
  metrics.onAnnounced({ revocation: revocationOf(NOW, { appliedAt: NOW + 40, announcedAt: NOW + 70 }), span });
  // It ends nothing, so that it had nowhere to get to.
  metrics.onAnnounced({ revocation: revocationOf(NOW, { announcedAt: NOW + 900, scopes: [] }), span });
  const { appliedAt: _, ...again } = revocationOf(NOW, { announcedAt: NOW + 30, canary: true });
  metrics.onAnnounced({ revocation: again, span });
  const effective = { effective: true, effectiveAt: NOW + 250 };
  metrics.onEffective({ ...effective, revocation: revocationOf(NOW), outcomes: [outcome('receipt')] });
  metrics.onEffective({ ...effective, revocation: again, outcomes: [outcome('receipt'), outcome('lease')] });

  expect(await told()).toEqual(
    expect.arrayContaining([
      'curfew_sidecars{state="live"} 2',
      'curfew_sidecars{state="silent"} 1',
      'curfew_receipts_received_total{} 1',
      'curfew_receipts_rejected_total{} 1',
      'curfew_propagation_duration_sum{hop="fold",canary="false"} 0.04',
      'curfew_propagation_duration_sum{hop="announce",canary="false"} 0.07',
      'curfew_propagation_duration_sum{hop="announce",canary="true"} 0.03',
      'curfew_revocation_effective_duration_sum{canary="false",by="receipt"} 0.25',
      'curfew_revocation_effective_duration_sum{canary="true",by="lease"} 0.25',
    ]),
  );
  expect(await told()).not.toContainEqual(expect.stringContaining('hop="fold",canary="true"'));
});

test('canaries are no account events that anybody counts', async () => {
  const { onRecord } = createMetrics();
  for (const subject of ['alice', 'curfew.canary.1'])
    onRecord(planOf(recordOf(subject, setOf(`${CAEP}session-revoked`, opaque(subject))), PARTITIONS, RULES));
  expect(await told()).toContain('curfew_events_applied_total{} 1');
});
