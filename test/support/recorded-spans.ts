import { NodeSDK, type NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { sessionSpans } from '../../libs/telemetry/src/session-spans.ts';

type SpanProcessor = NonNullable<NodeSDKConfiguration['spanProcessors']>[number];
export type RecordedSpan = Parameters<SpanProcessor['onEnd']>[0];

/** Switches tracing on for a test file. The list holds the spans that the running test has ended, in order. */
export function recordSpans(): readonly RecordedSpan[] {
  const ended: RecordedSpan[] = [];
  const sdk = new NodeSDK({
    spanProcessors: [
      sessionSpans,
      {
        onStart: () => {},
        onEnd: (span) => {
          ended.push(span);
        },
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
    metricReaders: [],
    logRecordProcessors: [],
  });
  beforeAll(() => sdk.start());
  beforeEach(() => {
    ended.length = 0;
  });
  afterAll(() => sdk.shutdown());
  return ended;
}
