import { noted, quantile, type Reports, time, whole } from './report.ts';

/** The targets of issue 6. */
const MOST_MORE = 0.1;
const MOST_FEWER = 0.03;

/** What `--only telemetry` says: with receipts, metrics scraped every 5 s and 1 % of the traces, against none of it. */
export function sayTelemetry(reports: Reports): readonly string[] {
  const { [UNWATCHED]: off = [], [WATCHED]: on = [], [STOREFRONT]: storefront = [] } = reports;
  const more = quantile(on, 0.5) / quantile(off, 0.5) - 1;
  const calls = [off, on].map(
    (of) => `${time(quantile(of, 0.5))} (CPU of the process ${time(noted(of, 'cpuNsPerCall'))})`,
  );
  const fewer = 1 - noted(storefront, 'watchedShare');
  const requests = ['unwatched', 'watched'].map((manner) => {
    const cpu = noted(storefront, `${manner}CpuMicroseconds`).toFixed(1);
    return `${whole(noted(storefront, `${manner}PerSecond`))} (CPU ${cpu} µs each)`;
  });
  return [
    `authenticate: ${calls.join(', watched ')}: ${percent(more)} more; target: at most ${percent(MOST_MORE)} ${met(more <= MOST_MORE)}`,
    `storefront, requests a second: ${requests.join(', watched ')}: ${percent(fewer)} fewer; target: at most ${percent(MOST_FEWER)} ${met(fewer <= MOST_FEWER)}`,
  ];
}

const UNWATCHED = 'telemetry-authenticate unwatched';
const WATCHED = 'telemetry-authenticate watched';
const STOREFRONT = 'telemetry-storefront';

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const met = (isMet: boolean): string => (isMet ? 'met' : 'MISSED');
