import type { RevocationReport } from '@curfew/contracts';
import type { Output } from './output.ts';
import { formatTable } from './table.ts';

export const inMs = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms * 10) / 10} ms` : `${(ms / 1000).toFixed(1)} s`;

/** `10:03:04.123`, UTC, from RFC 3339 or ms since the epoch. */
export const timeOfDay = (at: string | number): string => new Date(at).toISOString().slice(11, 23);

/** `none`, `3`, `at least 3`. */
export const exposure = ({ exposed, atLeast }: { exposed?: number; atLeast?: true }): string =>
  exposed === undefined ? '' : `${atLeast ? 'at least ' : ''}${exposed === 0 && !atLeast ? 'none' : exposed}`;

/** Of all sidecars: `none`, `3 (1 of 2 sidecars have not said)`. */
export function exposureOf(report: RevocationReport): string {
  const silent = report.sidecars.filter(({ exposed }) => exposed === undefined).length;
  return exposure(report) + (silent === 0 ? '' : ` (${silent} of ${report.sidecars.length} sidecars have not said)`);
}

/** `effective on 2 of 2 after 3.1 ms`, `not effective yet: 1 of 2`. */
export function effectOf({ effective, effectiveAt, at, summary, says }: RevocationReport): string {
  if (says !== undefined) return `effective at once: ${says}`;
  if (!effective) return `not effective yet: ${summary}`;
  const tookMs = effectiveAt === undefined ? undefined : Date.parse(effectiveAt) - Date.parse(at);
  return `effective on ${summary}${tookMs === undefined ? '' : ` after ${inMs(Math.max(0, tookMs))}`}`;
}

/** One revocation, with a row for each sidecar that it counts for. */
export function revocationWords(report: RevocationReport, output: Output): string {
  const { id, why, scopes, at, traceId, effective, sidecars } = report;
  const lines = [
    `${output.paint('bold', why)} of ${scopes.join(', ') || 'nobody'}, acknowledged ${timeOfDay(at)} UTC`,
    output.paint(effective ? 'green' : 'red', effectOf(report)),
    `let through meanwhile: ${exposureOf(report)}`,
    `event ${id}${traceId === undefined ? '' : `, trace ${traceId}`}`,
  ];
  if (sidecars.length === 0) return lines.join('\n');
  const rows = sidecars.map((sidecar) => [
    output.paint(sidecar.effective ? 'green' : 'red', sidecar.effective ? '✓' : '✗'),
    sidecar.service,
    sidecar.instance,
    sidecar.state,
    sidecar.latencyMs === undefined ? '' : inMs(sidecar.latencyMs),
    exposure(sidecar),
    sidecar.says,
  ]);
  const columns = [
    { title: '' },
    { title: 'service' },
    { title: 'instance' },
    { title: 'state' },
    { title: 'after', align: 'right' },
    { title: 'let through', align: 'right' },
    { title: 'says' },
  ] as const;
  return `${lines.join('\n')}\n\n${formatTable(columns, rows)}`;
}
