import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { openSpanSink } from '../../support/span-sink.ts';

const unhandled = vi.fn();
process.on('unhandledRejection', unhandled);
const sink = await openSpanSink();
afterEach(() => {
  sink.close();
  process.off('unhandledRejection', unhandled);
});

test('an exporter that is ended while it sends its spans fails no test, and the next one is heard', async () => {
  const url = new URL('/v1/traces', sink.environment['OTEL_EXPORTER_OTLP_ENDPOINT']);
  const cut = connect(Number(url.port), url.hostname);
  cut.write('POST /v1/traces HTTP/1.1\r\nhost: sink\r\ncontent-length: 100\r\nexpect: 100-continue\r\n\r\n');
  // It has the head by now, and waits for the rest.
  expect(`${await once(cut, 'data')}`).toContain('100 Continue');
  cut.resetAndDestroy();
  expect((await fetch(url, { method: 'POST', body: 'whole' })).status).toBe(200);
  expect(sink.text()).toBe('whole');
  expect(unhandled).not.toHaveBeenCalled();
});
