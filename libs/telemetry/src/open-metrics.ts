import { type Exemplar, exemplars } from './exemplars.ts';

export const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/**
 * A scrape in OpenMetrics, which has exemplars, made of one in Prometheus' own text, which has none. A unit must be the end
 * of a name there, and OpenTelemetry's are not: it is left out. https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function openMetrics(text: string): string {
  const ofBuckets = new Map(exemplars().map(([name, of]) => [`${name.replaceAll('.', '_')}_bucket`, of]));
  const lines = text.split('\n').flatMap((line) => {
    if (line.startsWith('#')) {
      const [, kind, family, rest] = FAMILY.exec(line) ?? [];
      return kind === undefined ? [] : [`# ${kind} ${family} ${rest}`];
    }
    return line === '' ? [] : [withExemplar(line, ofBuckets)];
  });
  return `${lines.join('\n')}\n# EOF\n`;
}

/** A counter's family is called without its suffix. */
const FAMILY = /^# (HELP|TYPE) (\w+?)(?:_total)? (.*)$/;
const BUCKET = /^(\w+_bucket)\{(.*)\} /;

function withExemplar(line: string, ofBuckets: ReadonlyMap<string, readonly Exemplar[]>): string {
  const [, name = '', labels = ''] = BUCKET.exec(line) ?? [];
  for (const { le, value, attributes, traceId, spanId, at } of ofBuckets.get(name) ?? []) {
    const needed = Object.entries({ ...attributes, le }).map(([label, text]) => `${label}="${text}"`);
    const has = labels.split(',');
    if (needed.every((one) => has.includes(one)))
      return `${line} # {trace_id="${traceId}",span_id="${spanId}"} ${value} ${at / 1000}`;
  }
  return line;
}
