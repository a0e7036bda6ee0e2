export type { KafkaLog, KafkaOptions } from './kafka-client.ts';
export { createKafka } from './kafka-client.ts';
