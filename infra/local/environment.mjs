/** The Kafka and the Redis that the environment names; an empty name names none. */
export function existing() {
  const { CURFEW_KAFKA_BROKERS, CURFEW_REDIS_URL } = process.env;
  return { brokers: CURFEW_KAFKA_BROKERS || undefined, redisUrl: CURFEW_REDIS_URL || undefined };
}
