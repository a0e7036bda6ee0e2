export { histogramWithExemplars } from './exemplars.ts';
export { ATTR, PROPAGATION_BUCKETS_S, SCOPE_NAME } from './names.ts';
export { contextHeaders, contextOfHeaders } from './record-context.ts';
export type { TracedSession } from './session-context.ts';
export { contextOfSession, traceFirstRejection } from './session-context.ts';
export type { RecordPlace } from './spans.ts';
export { endWithError, startProcessSpan, startSendSpan, startStoreSpan, tracer } from './spans.ts';
