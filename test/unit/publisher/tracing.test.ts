import { type CurfewError, TOPICS } from '@curfew/contracts';
import { type EventLog, type EventRecord, Publisher } from '@curfew/publisher';
import { tracer } from '@curfew/telemetry';
import { describe, expect, test } from 'vitest';
import { recordSpans } from '../../support/recorded-spans.ts';

const ended = recordSpans();

const publisherOn = (append: EventLog['append']): Publisher =>
  new Publisher({
    log: { start: async () => {}, close: async () => {}, notReady: () => [], append },
    issuer: 'i',
    publishTimeoutMs: 20,
    now: () => 0,
    newId: () => '7f',
  });

describe('the trace of an account event', () => {
  test('begins with its send, whose context the record carries', async () => {
    const records: EventRecord[] = [];
    const publisher = publisherOn(async (record) => {
      records.push(record);
      return { partition: 9, offset: 41 };
    });
    await tracer().startActiveSpan('POST /v1/password-changed', async (request) => {
      await publisher.passwordChanged({ subject: 'alice' });
      request.end();
    });

    const [send, request] = ended;
    expect(send).toMatchObject({
      name: `send ${TOPICS.accountEvents}`,
      parentSpanContext: { spanId: request?.spanContext().spanId },
      attributes: { 'messaging.destination.partition.id': '9', 'kafka.offset': 41 },
    });
    const { traceId, spanId } = send?.spanContext() ?? {};
    expect(records[0]?.headers).toEqual({
      'content-type': 'application/json',
      traceparent: `00-${traceId}-${spanId}-01`,
    });
  });

  test('shows an event that was not acknowledged as failed', async () => {
    await publisherOn(() => new Promise(() => {}))
      .accountEnabled({ subject: 'bob' })
      .catch((error: CurfewError) => error);
    expect(ended).toMatchObject([{ attributes: { 'error.type': 'bus_unavailable' } }]);
  });

  test('shows no send of an event that was refused', async () => {
    await publisherOn(() => new Promise(() => {}))
      .accountEnabled({ subject: '*' })
      .catch((error: CurfewError) => error);
    expect(ended).toEqual([]);
  });
});
