import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CurfewError } from '@curfew/contracts';
import { startTelemetry, type Telemetry } from '@curfew/telemetry/start';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { measured } from '../../../services/session-service/src/store/measured.ts';
import { reportStore } from '../../../services/session-service/src/store/store-metrics.ts';

let telemetry: Telemetry;
const server = createServer((request, response) => telemetry.serveMetrics(request, response));
beforeAll(async () => {
  telemetry = startTelemetry('store-test');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await telemetry.shutdown();
});

test('the metrics tell how the store does, and how long its operations take', async () => {
  const figures = { usedMemoryBytes: 7, evictedKeys: 3, replicas: 5, replicationLagS: 2, evicting: ['allkeys-lru'] };
  const { onOperation } = reportStore({ reconnects: 4 }, { figures });
  const store = measured(
    'sessions',
    {
      read: async (sid: string) => sid,
      create: async () => {
        throw new CurfewError('store_unavailable', 'Redis');
      },
      apply: async () => {
        throw new RangeError('answered, but not as hoped');
      },
    },
    onOperation,
  );
  expect(await store.read('laptop')).toBe('laptop');
  await expect(store.create()).rejects.toMatchObject({ code: 'store_unavailable' });
  await expect(store.apply()).rejects.toThrow(RangeError);

  const reply = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
  const told = (await reply.text()).replaceAll(/,?otel_scope_name="curfew"/g, '').split('\n');
  expect(told).toEqual(
    expect.arrayContaining([
      'curfew_store_used_memory{} 7',
      'curfew_store_evicted_keys_total{} 3',
      'curfew_store_evicting{} 1',
      'curfew_store_replicas{} 5',
      'curfew_store_replication_lag{} 2',
      'curfew_store_reconnects_total{} 4',
      'curfew_store_duration_count{operation="sessions.read",ok="true"} 1',
      'curfew_store_duration_count{operation="sessions.create",ok="false"} 1',
      'curfew_store_duration_count{operation="sessions.apply",ok="true"} 1',
    ]),
  );
});
