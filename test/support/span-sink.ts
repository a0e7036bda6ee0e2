import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

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
  const server = createServer(async (request, response) => {
    received.push((await request.toArray()).join(''));
    response.setHeader('content-type', 'application/json').end('{}');
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
