/** The Kafka and the Redis that the tests of one run share: `inject('stack')`. */
export interface Stack {
  /** As `CURFEW_KAFKA_BROKERS` and the options of the libraries want it. */
  readonly brokers: readonly string[];
  readonly redisUrl: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly stack: Stack;
    /** A Redis Cluster of three masters, as `redisUrl` names it. */
    readonly clusterUrl: string;
  }
}
