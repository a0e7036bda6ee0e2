#!/bin/sh
# Runs one of Kafka's classes, with the settings of the script of this name that Kafka's own archive has, and its garbage
# collector: whoever wants another must take it the same way here.
# KAFKA_HEAP_OPTS and the others are lists of options: each word is one.
# shellcheck disable=SC2086
exec java ${KAFKA_HEAP_OPTS:--Xmx256M} ${KAFKA_JVM_PERFORMANCE_OPTS:--server -XX:+UseG1GC} \
  ${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=/etc/kafka/docker/tools-log4j2.yaml} ${KAFKA_OPTS} \
  -cp '/opt/kafka/libs/*' "$@"
