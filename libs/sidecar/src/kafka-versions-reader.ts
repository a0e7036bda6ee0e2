import { decodeVersionRecord, type Tick, TOPICS, type VersionRecord } from '@curfew/contracts';
import { KafkaTopicReader, type TopicReaderOptions, type TopicSink } from './kafka-topic-reader.ts';

export type VersionsSink = TopicSink<VersionRecord | Tick>;

/** Reads session-versions: every sidecar reads all of it. */
export class KafkaVersionsReader extends KafkaTopicReader<VersionRecord | Tick> {
  constructor(options: Omit<TopicReaderOptions<VersionRecord | Tick>, 'topic' | 'decode'>) {
    super({ ...options, topic: TOPICS.sessionVersions, decode: decodeVersionRecord });
  }
}
