import { createKafka } from '@curfew/publisher';

/** A kafkajs consumer in a process of its own, as the session service's is: tells its parent when a record came. */

const [topic = '', brokers = ''] = process.argv.slice(2);
const consumer = createKafka({ brokers: brokers.split(','), clientId: topic }).consumer({
  groupId: topic,
  maxWaitTimeInMs: 500,
});
consumer.on(consumer.events.GROUP_JOIN, () => process.send?.('joined'));
process.on('message', () => consumer.disconnect().then(() => process.disconnect()));
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  eachBatch: async () => {
    process.send?.(performance.timeOrigin + performance.now());
  },
});
