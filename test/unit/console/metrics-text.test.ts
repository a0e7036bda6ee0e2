import { describe, expect, test } from 'vitest';
import { parseMetrics } from '../../../services/console/src/metrics-text.ts';

describe('the metrics of a service', () => {
  test('are its samples, with their labels and without its comments', () => {
    const text = [
      '# HELP curfew_sessions_ended_total Sessions ended here, by reason',
      '# TYPE curfew_sessions_ended_total counter',
      'curfew_sessions_ended_total{reason="logout",otel_scope_name="curfew"} 3',
      'curfew_store_used_memory 1612256 1395066363000',
      '',
      'no sample',
    ].join('\n');
    expect(parseMetrics(text)).toEqual([
      { name: 'curfew_sessions_ended_total', labels: { reason: 'logout', otel_scope_name: 'curfew' }, value: 3 },
      { name: 'curfew_store_used_memory', labels: {}, value: 1_612_256 },
    ]);
  });

  test('may have labels with quotes, braces, commas and line breaks in them', () => {
    expect(parseMetrics(String.raw`a{b="x\"y},z=\"",c="\\n\n"} 1`)).toEqual([
      { name: 'a', labels: { b: 'x"y},z="', c: '\\n\n' }, value: 1 },
    ]);
  });

  test('may be infinite or no number, as buckets and gauges are', () => {
    expect(parseMetrics('a{le="+Inf"} +Inf\nb -Inf\nc NaN\nd 1.5e-3').map(({ value }) => value)).toEqual([
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
      0.0015,
    ]);
  });

  test('may come with exemplars, whose labels are none of theirs', () => {
    const line = 'curfew_propagation_duration_bucket{le="0.005"} 7 # {trace_id="4bf9"} 0.003 1795600317';
    expect(parseMetrics(line)).toEqual([
      { name: 'curfew_propagation_duration_bucket', labels: { le: '0.005' }, value: 7 },
    ]);
  });
});
