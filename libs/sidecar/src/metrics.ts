import { SCOPE_NAME } from '@curfew/telemetry';
import { metrics } from '@opentelemetry/api';
import type { Counts } from './authenticator.ts';

/** Plain numbers of a sidecar, which the instruments read when they are asked. */
export interface Figures {
  readonly counts: Readonly<Counts>;
  entries(): number;
  undecodable(): number;
}

const VERDICTS = ['active', 'stale', 'revoked', 'expired', 'invalid', 'unprovable', 'unproven'] as const;

/** Reports a sidecar's numbers (DESIGN section 9) until `stop`. Counting costs the request path an increment. */
export function reportMetrics({ counts, entries, undecodable }: Figures) {
  const meter = metrics.getMeter(SCOPE_NAME);
  const verdicts = meter.createObservableCounter('curfew.verdicts', { description: 'Decisions on requests' });
  const size = meter.createObservableGauge('curfew.replica.entries', { description: 'Scopes in memory' });
  const hits = meter.createObservableCounter('curfew.token_cache.hits', { description: 'Tokens verified before' });
  const misses = meter.createObservableCounter('curfew.token_cache.misses', { description: 'Tokens to be verified' });
  const unread = meter.createObservableCounter('curfew.records.undecodable', {
    description: 'Records of session-versions that cannot be understood',
  });
  const readThrough = meter.createHistogram('curfew.read_through.duration', {
    description: 'Reads of versions from Redis',
    unit: 's',
    advice: { explicitBucketBoundaries: [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1] },
  });
  const instruments = [verdicts, size, hits, misses, unread];
  const report: Parameters<typeof meter.addBatchObservableCallback>[0] = (result) => {
    for (const verdict of VERDICTS) result.observe(verdicts, counts[verdict], { verdict });
    result.observe(size, entries());
    result.observe(hits, counts.tokenHits);
    result.observe(misses, counts.tokenMisses);
    result.observe(unread, undecodable());
  };
  meter.addBatchObservableCallback(report, instruments);
  return {
    onRead: (durationMs: number, ok: boolean) => readThrough.record(durationMs / 1000, { ok }),
    stop: () => meter.removeBatchObservableCallback(report, instruments),
  };
}
