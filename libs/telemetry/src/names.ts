/** Attribute names that spans and metrics use: OpenTelemetry's messaging and database conventions, and Curfew's own. */
export const ATTR = {
  messagingSystem: 'messaging.system',
  messagingOperationName: 'messaging.operation.name',
  messagingOperationType: 'messaging.operation.type',
  messagingDestination: 'messaging.destination.name',
  messagingPartition: 'messaging.destination.partition.id',
  messagingOffset: 'messaging.kafka.offset',
  messagingGroup: 'messaging.consumer.group.name',
  dbSystem: 'db.system.name',
  dbOperation: 'db.operation.name',
  errorType: 'error.type',
  why: 'curfew.event.type',
} as const;

/** Instrumentation scope of every span and metric of Curfew's own. */
export const SCOPE_NAME = 'curfew';
