import { isCanary } from '@curfew/contracts';
import { SCOPE_NAME } from '@curfew/telemetry';
import { metrics } from '@opentelemetry/api';
import type { Step } from './events/plan.ts';
import type { LifecycleChange } from './sessions/lifecycle.ts';

/** The session service's own counters (DESIGN section 9). */
export function createMetrics() {
  const meter = metrics.getMeter(SCOPE_NAME);
  const created = meter.createCounter('curfew.sessions.created', { description: 'Sign-ins' });
  const renewed = meter.createCounter('curfew.sessions.renewed', { description: 'Renewals' });
  const ended = meter.createCounter('curfew.sessions.ended', { description: 'Sessions ended here, by reason' });
  const reauthenticated = meter.createCounter('curfew.sessions.reauthenticated', {
    description: 'Sessions whose subject showed a credential again',
  });
  const reuse = meter.createCounter('curfew.refresh.reuse_detected', {
    description: 'Refresh tokens shown that had been exchanged before: theft',
  });
  const perSubject = meter.createHistogram('curfew.sessions.per_subject', {
    description: 'Sessions of a subject, at its sign-ins',
    advice: { explicitBucketBoundaries: [1, 2, 3, 5, 10, 20, 50, 100, 1000] },
  });
  const invalid = meter.createCounter('curfew.records.invalid', {
    description: 'Session records that hold what no session service writes',
  });
  const applied = meter.createCounter('curfew.events.applied', { description: 'Account events folded into versions' });
  const rejected = meter.createCounter('curfew.events.rejected', {
    description: 'Account events kept aside, by error',
  });
  const forwarded = meter.createCounter('curfew.events.forwarded', {
    description: 'Account events found in the wrong partition',
  });
  // From the start on: to whoever scrapes, the first of each is an increase only if there was a 0 before it.
  for (const counter of [created, renewed, reauthenticated, reuse, invalid, applied, forwarded]) counter.add(0);
  return {
    onLifecycle: (what: LifecycleChange) => {
      if (what.change === 'created') created.add(1);
      else if (what.change === 'renewed') renewed.add(1);
      else if (what.change === 'reauthenticated') reauthenticated.add(1);
      else if (what.change === 'reuse-detected') reuse.add(1);
      else if (what.change === 'ended') ended.add(what.count ?? 1, { reason: what.reason });
      else if (what.change === 'counted') perSubject.record(what.ofSubject);
    },
    onInvalidRecord: () => invalid.add(1),
    onRecord: ({ rejected: error, belongsIn, effects, subject }: Step) => {
      if (error !== undefined) rejected.add(1, { error });
      if (belongsIn !== undefined) forwarded.add(1);
      if (effects.length > 0 && !isCanary(subject)) applied.add(1);
    },
  };
}
