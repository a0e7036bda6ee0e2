import { SCOPE_NAME } from '@curfew/telemetry';
import { metrics } from '@opentelemetry/api';
import type { Step } from './events/plan.ts';

/** The session service's own counters (DESIGN section 9). */
export function createMetrics() {
  const meter = metrics.getMeter(SCOPE_NAME);
  const sessions = {
    created: meter.createCounter('curfew.sessions.created', { description: 'Sign-ins' }),
    renewed: meter.createCounter('curfew.sessions.renewed', { description: 'Refreshes' }),
    ended: meter.createCounter('curfew.sessions.ended', { description: 'Sessions ended one by one, by reason' }),
  };
  const applied = meter.createCounter('curfew.events.applied', { description: 'Account events folded into versions' });
  const rejected = meter.createCounter('curfew.events.rejected', {
    description: 'Account events kept aside, by error',
  });
  const forwarded = meter.createCounter('curfew.events.forwarded', {
    description: 'Account events found in the wrong partition',
  });
  return {
    onSession: (change: keyof typeof sessions) =>
      sessions[change].add(1, change === 'ended' ? { reason: 'logout' } : {}),
    onRecord: ({ rejected: error, belongsIn, effects }: Step) => {
      if (error !== undefined) rejected.add(1, { error });
      if (belongsIn !== undefined) forwarded.add(1);
      if (effects.length > 0) applied.add(1);
    },
  };
}
