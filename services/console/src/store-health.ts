import type { Sample } from './metrics-text.ts';

type Instances = ReadonlyMap<string, readonly Sample[]>;

/** Redis and the log as the session service sees them. Undefined: it does not say so. */
export function storeHealth(instances: Instances) {
  const samples = [...instances.values()];
  const each = (name: string) =>
    samples.flatMap((of) => of.filter((sample) => sample.name === name).map(({ value }) => value));
  const smallest = (name: string) => (each(name).length === 0 ? undefined : Math.min(...each(name)));
  const largest = (name: string) => (each(name).length === 0 ? undefined : Math.max(...each(name)));
  const sum = (name: string) => each(name).reduce((total, value) => total + value, 0);
  return {
    usedMemoryBytes: largest('curfew_store_used_memory'),
    /** Servers that may drop keys for memory. */
    evicting: largest('curfew_store_evicting'),
    evictedKeys: largest('curfew_store_evicted_keys_total'),
    /** Replicas that follow: the least that an instance sees, as one without Redis says what it saw last. */
    replicas: smallest('curfew_store_replicas'),
    replicationLagS: largest('curfew_store_replication_lag'),
    reconnects: sum('curfew_store_reconnects_total'),
    eventsApplied: sum('curfew_events_applied_total'),
    eventsRejected: sum('curfew_events_rejected_total'),
    eventsForwarded: sum('curfew_events_forwarded_total'),
    reuseDetected: sum('curfew_refresh_reuse_detected_total'),
    /** Mean of all operations since the instances started, ms. */
    operationMs: ratio(sum('curfew_store_duration_sum'), sum('curfew_store_duration_count')),
  };
}

const ratio = (seconds: number, count: number) => (count === 0 ? undefined : (seconds / count) * 1000);
