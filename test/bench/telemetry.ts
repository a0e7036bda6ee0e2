import { noted, quantile, type Reports, time, whole } from './report.ts';

/** The targets of issue 6. */
const MOST_MORE = 0.1;
const MOST_FEWER = 0.03;

/** What `--only telemetry` says: with receipts, metrics scraped every 5 s and 1 % of the traces, against none of it. */
export function sayTelemetry(reports: Reports): readonly string[] {
  const [off = [], on = [], storefrontOff = [], storefrontOn = []] = CASES.map((one) => reports[one]);
  const more = quantile(on, 0.5) / quantile(off, 0.5) - 1;
  const fewer = 1 - noted(storefrontOn, 'requestsPerSecond') / noted(storefrontOff, 'requestsPerSecond');
  const calls = [off, on].map(
    (of) => `${time(quantile(of, 0.5))} (CPU of the process ${time(noted(of, 'cpuNsPerCall'))})`,
  );
  const requests = [storefrontOff, storefrontOn].map(
    (of) =>
      `${whole(noted(of, 'requestsPerSecond'))} (CPU ${noted(of, 'serverCpuMicrosecondsPerRequest').toFixed(1)} µs each)`,
  );
  return [
    `authenticate: ${calls.join(', watched ')}: ${percent(more)} more; target: at most ${percent(MOST_MORE)} ${met(more <= MOST_MORE)}`,
    `storefront, requests a second: ${requests.join(', watched ')}: ${percent(fewer)} fewer; target: at most ${percent(MOST_FEWER)} ${met(fewer <= MOST_FEWER)}`,
  ];
}

const CASES = ['authenticate', 'storefront'].flatMap((one) =>
  ['unwatched', 'watched'].map((manner) => `telemetry-${one} ${manner}`),
);

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const met = (isMet: boolean): string => (isMet ? 'met' : 'MISSED');
