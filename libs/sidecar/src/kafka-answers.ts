import { CurfewError } from '@curfew/contracts';
import {
  AuthenticationError,
  MultipleErrors,
  NetworkError,
  protocolErrorsCodesById,
  ResponseError,
  TimeoutError,
  UserError,
} from '@platformatic/kafka';

/** Who leads the partitions of a topic. */
export interface TopicLeaders {
  readonly id: string;
  readonly leaders: readonly { readonly leader: number; readonly leaderEpoch: number }[];
}

/** The topic in an answer to a metadata request that holds an error, unless the topic itself is unknown. */
export function topicIn(response: unknown): TopicLeaders | undefined {
  const { topics } = response as {
    topics: {
      errorCode: number;
      topicId: string;
      partitions: { partitionIndex: number; leaderId: number; leaderEpoch: number }[];
    }[];
  };
  const topic = topics[0];
  if (topic === undefined || topic.errorCode !== 0) return undefined;
  const byIndex = topic.partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex);
  return {
    id: topic.topicId,
    leaders: byIndex.map(({ leaderId, leaderEpoch }) => ({ leader: leaderId, leaderEpoch })),
  };
}

/** Codes of the library's errors that are about brokers, connections and what was asked for. */
const TROUBLES: readonly unknown[] = [
  NetworkError.code,
  TimeoutError.code,
  AuthenticationError.code,
  ResponseError.code,
  MultipleErrors.code,
  UserError.code,
];

/** Whether the broker said no, or said nothing. What is left is an answer that cannot be decoded. */
export const isTrouble = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && TROUBLES.includes(error.code);

/** As an error of the library names it. */
export const errorOfCode = (code: number): { readonly type: string } => ({
  type: protocolErrorsCodesById[code as 0] ?? `Kafka error ${code}`,
});

export function reasonOf(error: unknown, topic: string): string {
  if (error instanceof CurfewError) return error.detail ?? error.message;
  if (!(error instanceof Error)) return 'Kafka does not answer';
  return error.message.startsWith('Unknown topic')
    ? `the topic ${topic} is absent; the session service creates it`
    : `Kafka does not answer: ${error.message}`;
}
