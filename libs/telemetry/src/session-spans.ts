import { SpanStatusCode } from '@opentelemetry/api';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { sessionOf } from './session-context.ts';

/**
 * Puts the session of the request on every span, and takes the words of errors from it: they may quote what was
 * sent.
 */
export const sessionSpans: SpanProcessor = {
  onStart(span, parent) {
    const session = sessionOf(parent);
    if (session !== undefined) span.setAttributes(session);
  },
  onEnding(span) {
    if (span.status.message !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
  },
  onEnd: () => {},
  forceFlush: async () => {},
  shutdown: async () => {},
};
