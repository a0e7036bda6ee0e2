import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export const SCRAPE_INTERVAL_MS = 5000;

/** What was seen of a process' telemetry. */
interface Seen {
  readonly scrapes: number;
  /** Exports of spans. */
  readonly exports: number;
  /** Receipts that the process had sent by the last scrape. */
  readonly receipts: number;
}

/** Whoever looks at a process' telemetry: takes its spans, and scrapes its metrics every five seconds. */
export async function startWatchers() {
  let seen: Seen = { scrapes: 0, exports: 0, receipts: 0 };
  const collector = createServer((request, response) => {
    request.resume();
    seen = { ...seen, exports: seen.exports + 1 };
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  let timer: NodeJS.Timeout | undefined;

  async function scrape(url: string): Promise<void> {
    const metrics = await (await fetch(url)).text();
    const receipts = Number(/^curfew_receipts_sent_total\S* (\d+)/m.exec(metrics)?.[1] ?? 0);
    seen = { ...seen, scrapes: seen.scrapes + 1, receipts };
  }

  return {
    scrape,
    /** What has the process send its spans here, those of one trace in a hundred. */
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
    },
    /** From now on its metrics are scraped. */
    scrapeAlways: (url: string) => {
      timer = setInterval(() => void scrape(url).catch(() => {}), SCRAPE_INTERVAL_MS);
    },
    /** What was seen up to now. */
    seen: () => seen,
    close: () => {
      clearInterval(timer);
      collector.closeAllConnections();
      collector.close();
    },
  };
}
