import { sayHttp } from './http.ts';
import { noted, quantile, type Report, type Reports, time, whole } from './report.ts';
import type { StackKind } from './stack.ts';
import { sayStore } from './store.ts';
import { sayTelemetry } from './telemetry.ts';

export interface Benchmark {
  readonly name: string;
  /** Files of `cases`, with their arguments, and what each runs on. */
  readonly cases: Readonly<Record<string, StackKind>>;
  /** Cases of which one run is enough, after those of the first. */
  readonly onlyOnce?: Readonly<Record<string, StackKind>>;
  /** What is said of it, a line each. */
  readonly says: (reports: Reports) => readonly string[];
}

/** Two sides of a ratio, by their medians. */
function ratio(
  name: string,
  [measured, beside]: readonly [measured: string, beside: string],
  on: StackKind,
  says: (measuredNs: number, besideNs: number) => string,
): Benchmark {
  return {
    name,
    cases: { [measured]: on, [beside]: on },
    says: (reports) => {
      const [measuredNs = Number.NaN, besideNs = Number.NaN] = Object.values(reports).map((of) => quantile(of, 0.5));
      const lines = Object.entries(reports).map(([which, of]) => lineOf(which, of));
      return [...lines, `${''.padEnd(20)} ${says(measuredNs, besideNs)}`];
    },
  };
}

function lineOf(which: string, of: readonly Report[]): string {
  const [p50, p99] = [0.5, 0.99].map((q) => time(quantile(of, q)).padStart(9));
  const notes = Object.keys(of[0]?.notes ?? {}).map((note) => `   ${note} ${Number(noted(of, note).toPrecision(3))}`);
  return `${which.padEnd(20)} p50 ${p50}   p99 ${p99}${notes.join('')}`;
}

const faster = (measuredNs: number, besideNs: number): string => `${(besideNs / measuredNs).toFixed(0)} times faster`;

export const BENCHMARKS: readonly Benchmark[] = [
  ratio('check', ['replica-check', 'redis-get'], 'redis', faster),
  ratio('authenticate', ['authenticate-cached', 'jose-verify'], 'redis', faster),
  ratio(
    'read-through',
    ['read-through', 'redis-get'],
    'redis',
    (measuredNs, besideNs) => `${(measuredNs / besideNs).toFixed(2)} of a round trip to Redis`,
  ),
  ratio(
    'propagation',
    ['propagation', 'propagation-floors'],
    'services',
    (measuredNs, besideNs) => `${(measuredNs / besideNs).toFixed(2)} of the sum of the floors`,
  ),
  {
    name: 'store',
    cases: {
      'store-sessions': 'redis',
      'store-others': 'redis',
      'store-tenant': 'services',
      'store-sign-ins': 'services',
    },
    says: sayStore,
  },
  {
    name: 'http',
    cases: {
      'http curfew-cookie': 'services',
      'http curfew-bearer': 'services',
      'http express-session': 'services',
      'http bare': 'services',
    },
    onlyOnce: { 'http curfew-cookie steady': 'services' },
    says: sayHttp,
  },
  {
    name: 'telemetry',
    cases: {
      'telemetry-authenticate unwatched': 'services',
      'telemetry-authenticate watched': 'services',
      'telemetry-storefront': 'services',
    },
    says: sayTelemetry,
  },
  {
    name: 'receipts',
    cases: { 'receipts 0': 'services', 'receipts 200': 'services' },
    says: (reports) => {
      const [none = Number.NaN, all = Number.NaN] = Object.values(reports).map((of) => noted(of, 'cpuPercentOfACore'));
      const perSecond = noted(reports['receipts 200'] ?? [], 'receiptsPerSecond');
      return [
        `session service       ${none.toFixed(1)} % of a core without sidecars, ${all.toFixed(1)} % with 200, which say ${whole(perSecond)} receipts a second`,
        `${''.padEnd(20)} ${(all - none).toFixed(1)} % of a core for their receipts`,
      ];
    },
  },
  {
    name: 'ledger',
    cases: { 'ledger 2': 'redis', 'ledger 20': 'redis', 'ledger 200': 'redis' },
    says: (reports) =>
      Object.entries(reports).map(
        ([which, of]) => `${which.padEnd(20)} ${whole(noted(of, 'usedBytes'))} bytes an event`,
      ),
  },
];
