export type {
  AccountDisabling,
  Cause,
  InitiatingEntity,
  PasswordChange,
  RolesChange,
  SessionRevocation,
} from './account-events.ts';
export { sessionRevocation, setOf } from './account-events.ts';
export type { EventLog, EventRecord, LogPlace } from './event-log.ts';
export type { KafkaLog, KafkaOptions } from './kafka-client.ts';
export { createKafka } from './kafka-client.ts';
export type { PublisherOptions } from './options.ts';
export type { Published, PublisherParts } from './publisher.ts';
export { createPublisher, Publisher } from './publisher.ts';
