/** The Kafka, the Redis and the Zipkin that the environment names; an empty name names none. */
export function existing() {
  const { CURFEW_KAFKA_BROKERS, CURFEW_REDIS_URL, CURFEW_ZIPKIN_URL } = process.env;
  return {
    brokers: CURFEW_KAFKA_BROKERS || undefined,
    redisUrl: CURFEW_REDIS_URL || undefined,
    zipkinUrl: CURFEW_ZIPKIN_URL || undefined,
  };
}
