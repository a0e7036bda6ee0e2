import { histogramWithExemplars, PROPAGATION_BUCKETS_S, SCOPE_NAME } from '@curfew/telemetry';
import { metrics, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { AnnouncedEvent } from '../events/pipeline.ts';
import { type Fleet, stateOf } from './fleet.ts';
import type { Report } from './open-revocation.ts';
import { SIDECAR_STATES } from './revocation.ts';

/** Reports how fast revocations become effective, and by whom they do (DESIGN section 9). */
export function reportReceipts(fleet: Fleet, now: () => number) {
  const meter = metrics.getMeter(SCOPE_NAME);
  const advice = { explicitBucketBoundaries: [...PROPAGATION_BUCKETS_S] };
  const propagation = histogramWithExemplars('curfew.propagation.duration', PROPAGATION_BUCKETS_S, {
    description: "From an account event's acknowledgement to its application, by hop",
    unit: 's',
  });
  const effective = meter.createHistogram('curfew.revocation.effective.duration', {
    description: "From an account event's acknowledgement until it is effective on every sidecar",
    unit: 's',
    advice,
  });
  const received = meter.createCounter('curfew.receipts.received', { description: 'Receipts of sidecars' });
  const rejected = meter.createCounter('curfew.receipts.rejected', {
    description: 'Records of receipts that are none',
  });
  meter
    .createObservableGauge('curfew.sidecars', { description: 'Sidecars heard of in the last minute, by state' })
    .addCallback((result) => {
      const at = now();
      const byState = Map.groupBy(fleet.present(at), (sidecar) => stateOf(sidecar, at));
      for (const state of SIDECAR_STATES) result.observe(byState.get(state)?.length ?? 0, { state });
    });
  // From the start on, so that what has not happened yet is a 0.
  for (const counter of [received, rejected]) counter.add(0);
  return {
    onReceipt: () => received.add(1),
    onRejected: () => rejected.add(1),
    onAnnounced: ({ revocation, span }: AnnouncedEvent) => {
      const { at, appliedAt, announcedAt, scopes } = revocation;
      if (scopes.length === 0) return;
      const canary = revocation.canary === true;
      const cause = trace.setSpan(ROOT_CONTEXT, span);
      const since = (ms: number) => Math.max(0, ms - at) / 1000;
      if (appliedAt !== undefined) propagation.record(since(appliedAt), { hop: 'fold', canary }, cause);
      propagation.record(since(announcedAt), { hop: 'announce', canary }, cause);
    },
    onEffective: ({ revocation, outcomes, effectiveAt = revocation.at }: Report) => {
      const canary = revocation.canary === true;
      const by = outcomes.every((outcome) => outcome.by === 'receipt') ? 'receipt' : 'lease';
      effective.record((effectiveAt - revocation.at) / 1000, { canary, by });
    },
  };
}
