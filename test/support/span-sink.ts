import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Where services send their spans, in place of a collector (OTLP over HTTP, as JSON); it keeps what comes as it came. */
export interface SpanSink {
  /** What has a service send its spans here, at once. */
  readonly environment: Readonly<Record<string, string>>;
  /** All that was received. */
  text(): string;
  close(): void;
}

export async function openSpanSink(): Promise<SpanSink> {
  const received: string[] = [];
  const server = createServer((request, response) => {
    const take = (spans: string) => {
      received.push(spans);
      response.setHeader('content-type', 'application/json').end('{}');
    };
    // A service that is killed leaves a request in the middle: that is for no one.
    text(request).then(take, () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    environment: {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    },
    text: () => received.join('\n'),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
