import { histogramWithExemplars, PROPAGATION_BUCKETS_S, SCOPE_NAME } from '@curfew/telemetry';
import { metrics } from '@opentelemetry/api';
import type { Counts } from './authenticator.ts';
import type { CookieCounts } from './cookie-authenticator.ts';
import type { Status } from './lifecycle.ts';

/** Plain numbers of a sidecar, which the instruments read when they are asked. */
export interface Figures {
  readonly counts: Readonly<Counts>;
  /** Undefined where no cookies are taken. */
  readonly cookieCounts: Readonly<CookieCounts> | undefined;
  entries(): number;
  undecodableRecords(): number;
  undecodableAnswers(): number;
  /** Ages of the views by partition, ms. */
  viewAgesMs(): readonly number[];
  /** The bound that those ages are held against, ms. */
  readonly maxViewAgeMs: number;
  largestLeadMs(): number;
  state(): Status;
}

const SOURCES = ['token', 'memory', 'store', 'policy'] as const;
const STATES = ['starting', 'live', 'behind', 'cut-off'] as const;

/** Reports a sidecar's numbers (DESIGN section 9) until `stop`. Counting costs the request path an increment. */
export function reportMetrics({ counts, cookieCounts, ...figures }: Figures) {
  const meter = metrics.getMeter(SCOPE_NAME);
  const verdicts = meter.createObservableCounter('curfew.verdicts', { description: 'Decisions on requests' });
  const size = meter.createObservableGauge('curfew.replica.entries', { description: 'Scopes in memory' });
  const hits = meter.createObservableCounter('curfew.token_cache.hits', { description: 'Tokens verified before' });
  const misses = meter.createObservableCounter('curfew.token_cache.misses', { description: 'Tokens to be verified' });
  const cookieHits = meter.createObservableCounter('curfew.cookie_cache.hits', { description: 'Cookies known before' });
  const cookieMisses = meter.createObservableCounter('curfew.cookie_cache.misses', {
    description: 'Cookies to be looked up in Redis',
  });
  const invalid = meter.createObservableCounter('curfew.records.invalid', {
    description: 'Session records that hold what no session service writes',
  });
  const unread = meter.createObservableCounter('curfew.records.undecodable', {
    description: 'Records of session-versions that cannot be understood',
  });
  const unreadable = meter.createObservableCounter('curfew.answers.undecodable', {
    description: 'Answers of brokers that cannot be decoded',
  });
  const ages = meter.createObservableGauge('curfew.view.age', {
    description: 'Age of the view of each partition, the skew included',
    unit: 's',
  });
  const bound = meter.createObservableGauge('curfew.view.bound', {
    description: 'Largest age of a view at which memory may accept',
    unit: 's',
  });
  const lead = meter.createObservableGauge('curfew.clock.lead', {
    description: 'Largest lead of a tick over the clock of this process',
    unit: 's',
  });
  const status = meter.createObservableGauge('curfew.sidecar.status', { description: '1 for the state it is in' });
  const changes = meter.createCounter('curfew.sidecar.status.changes', { description: 'Changes of the state' });
  const readThrough = meter.createHistogram('curfew.read_through.duration', {
    description: 'Reads of versions from Redis',
    unit: 's',
    advice: { explicitBucketBoundaries: [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1] },
  });
  const propagation = histogramWithExemplars('curfew.propagation.duration', PROPAGATION_BUCKETS_S, {
    description: 'From the acknowledgement of an account event to its application here',
    unit: 's',
  });
  const exposed = meter.createCounter('curfew.exposed.requests', {
    description:
      'Requests accepted between the acknowledgement of the event that ends them and its application here, at least',
  });
  const sent = meter.createCounter('curfew.receipts.sent', { description: 'Receipts delivered' });
  const unsent = meter.createCounter('curfew.receipts.failed', { description: 'Receipts that were not delivered' });
  // From the start on, so that what has not happened yet is a 0.
  for (const counter of [exposed, sent, unsent]) counter.add(0);
  const instruments = [
    verdicts,
    size,
    hits,
    misses,
    cookieHits,
    cookieMisses,
    invalid,
    unread,
    unreadable,
    ages,
    bound,
    lead,
    status,
  ];
  const report: Parameters<typeof meter.addBatchObservableCallback>[0] = (result) => {
    for (const source of SOURCES)
      for (const [verdict, count] of Object.entries(counts[source]))
        result.observe(verdicts, count, { verdict, source });
    result.observe(size, figures.entries());
    result.observe(hits, counts.tokenHits);
    result.observe(misses, counts.tokenMisses);
    if (cookieCounts !== undefined) {
      result.observe(cookieHits, cookieCounts.cookieHits);
      result.observe(cookieMisses, cookieCounts.cookieMisses);
      result.observe(invalid, cookieCounts.invalidRecords);
    }
    result.observe(unread, figures.undecodableRecords());
    result.observe(unreadable, figures.undecodableAnswers());
    // A view without a tick has no age yet, and Infinity is no value that every exporter takes.
    for (const [partition, age] of figures.viewAgesMs().entries())
      if (age !== Number.POSITIVE_INFINITY) result.observe(ages, age / 1000, { partition });
    result.observe(bound, figures.maxViewAgeMs / 1000);
    result.observe(lead, figures.largestLeadMs() / 1000);
    const now = figures.state();
    for (const one of STATES) result.observe(status, one === now ? 1 : 0, { state: one });
  };
  meter.addBatchObservableCallback(report, instruments);
  return {
    onRead: (durationMs: number, ok: boolean) => readThrough.record(durationMs / 1000, { ok }),
    onStatus: (to: Status) => changes.add(1, { to }),
    onApplied: (durationMs: number, canary: boolean) => propagation.record(Math.max(0, durationMs) / 1000, { canary }),
    onExposed: (requests: number) => exposed.add(requests),
    onReceipt: (ok: boolean) => (ok ? sent : unsent).add(1),
    stop: () => meter.removeBatchObservableCallback(report, instruments),
  };
}
