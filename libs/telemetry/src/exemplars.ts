import {
  type Attributes,
  context,
  type Histogram,
  type MetricOptions,
  metrics,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { SCOPE_NAME } from './names.ts';

/** One measurement of a bucket, and the trace that it was made in. */
export interface Exemplar {
  /** The bucket's upper bound, as a scrape names it. */
  readonly le: string;
  readonly value: number;
  readonly attributes: Attributes;
  readonly traceId: string;
  readonly spanId: string;
  /** When it was made, ms since the epoch. */
  readonly at: number;
}

const kept = new Map<string, Map<string, Exemplar>>();

/** The newest exemplar of each bucket of an instrument, for each of its sets of attributes. */
export const exemplars = (): readonly (readonly [instrument: string, of: readonly Exemplar[]])[] =>
  [...kept].map(([instrument, of]) => [instrument, [...of.values()]]);

/**
 * A histogram whose scrapes name, for each of its buckets, the trace of a measurement: of the newest one that was made
 * within a sampled trace. OpenTelemetry's SDK for Node keeps none itself.
 *
 * @param boundaries upper bounds of its buckets but the last, rising.
 */
export function histogramWithExemplars(
  name: string,
  boundaries: readonly number[],
  options: Pick<MetricOptions, 'description' | 'unit'>,
): Pick<Histogram, 'record'> {
  const advice = { explicitBucketBoundaries: [...boundaries] };
  const histogram = metrics.getMeter(SCOPE_NAME).createHistogram(name, { ...options, advice });
  const newest = kept.get(name) ?? new Map<string, Exemplar>();
  kept.set(name, newest);
  return {
    record: (value, attributes = {}, within = context.active()) => {
      histogram.record(value, attributes, within);
      const { traceId, spanId, traceFlags } = trace.getSpanContext(within) ?? NONE;
      if ((traceFlags & TraceFlags.SAMPLED) === 0) return;
      const le = String(boundaries.find((bound) => value <= bound) ?? '+Inf');
      const key = JSON.stringify([le, attributes]);
      newest.set(key, { le, value, attributes, traceId, spanId, at: Date.now() });
    },
  };
}

const NONE = { traceId: '', spanId: '', traceFlags: TraceFlags.NONE };
