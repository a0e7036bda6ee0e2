/**
 * Attribute names that spans and metrics use: OpenTelemetry's messaging, Kafka and database conventions (of version 1.45),
 * and Curfew's own.
 */
export const ATTR = {
  messagingSystem: 'messaging.system.name',
  messagingOperationName: 'messaging.operation.name',
  messagingOperationType: 'messaging.operation.type',
  messagingDestination: 'messaging.destination.name',
  messagingPartition: 'messaging.destination.partition.id',
  messagingBatch: 'messaging.batch.message_count',
  messagingOffset: 'kafka.offset',
  dbSystem: 'db.system.name',
  dbOperation: 'db.operation.name',
  errorType: 'error.type',
  why: 'curfew.event.type',
  session: 'curfew.session',
  sessionVersion: 'curfew.session.version',
  verdict: 'curfew.verdict',
} as const;

/** Instrumentation scope of every span and metric of Curfew's own. */
export const SCOPE_NAME = 'curfew';

/** Bucket boundaries of what measures propagation, s: from a hop on one machine to five bounds. */
export const PROPAGATION_BUCKETS_S = [
  0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
] as const;
