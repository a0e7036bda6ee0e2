import type { RedisConnection } from '@curfew/store';
import { SCOPE_NAME } from '@curfew/telemetry';
import { metrics } from '@opentelemetry/api';
import type { OnOperation } from './measured.ts';
import type { StoreFigures } from './redis-watch.ts';

/** Reports how the store does (DESIGN section 9). */
export function reportStore(
  redis: Pick<RedisConnection, 'reconnects'>,
  watch: { readonly figures: StoreFigures | undefined },
): { readonly onOperation: OnOperation } {
  const meter = metrics.getMeter(SCOPE_NAME);
  const duration = meter.createHistogram('curfew.store.duration', {
    description: 'Operations of the store',
    unit: 's',
    advice: { explicitBucketBoundaries: [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1] },
  });
  const reconnects = meter.createObservableCounter('curfew.store.reconnects', {
    description: 'Connections made anew after one was lost',
  });
  const memory = meter.createObservableGauge('curfew.store.used_memory', {
    description: 'Memory of all servers',
    unit: 'By',
  });
  const evicted = meter.createObservableCounter('curfew.store.evicted_keys', {
    description: 'Keys dropped for memory',
  });
  const evicting = meter.createObservableGauge('curfew.store.evicting', {
    description: 'Servers whose maxmemory-policy lets them drop keys',
  });
  const replicas = meter.createObservableGauge('curfew.store.replicas', {
    description: 'Replicas that follow their server',
  });
  const lag = meter.createObservableGauge('curfew.store.replication_lag', {
    description: 'How far the slowest replica is behind',
    unit: 's',
  });
  meter.addBatchObservableCallback(
    (result) => {
      result.observe(reconnects, redis.reconnects);
      const { figures } = watch;
      if (figures === undefined) return;
      result.observe(memory, figures.usedMemoryBytes);
      result.observe(evicted, figures.evictedKeys);
      result.observe(evicting, figures.evicting.length);
      result.observe(replicas, figures.replicas);
      result.observe(lag, figures.replicationLagS);
    },
    [reconnects, memory, evicted, evicting, replicas, lag],
  );
  return { onOperation: (operation, durationMs, ok) => duration.record(durationMs / 1000, { operation, ok }) };
}
