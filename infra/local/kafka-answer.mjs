import { connect } from 'node:net';

/** How long Kafka may take to answer one question, ms. */
const ANSWER_LIMIT_MS = 1000;

/**
 * A Metadata request (api key 3, version 4) of Kafka's protocol: no topics, none created.
 * Length, api key, version, correlation id, no client id, an empty list of topics, false.
 */
const METADATA = Buffer.from([0, 0, 0, 15, 0, 3, 0, 4, 0, 0, 0, 1, 255, 255, 0, 0, 0, 0, 0]);

/** Where the answer counts its brokers: after length, correlation id and throttle time. */
const BROKER_COUNT_AT = 12;

/**
 * Whether Kafka answers, and with at least one broker that takes work: its port is open long before that.
 *
 * @param {number} port
 * @param {string} [host] default: the loopback address
 * @returns {Promise<boolean>}
 */
export function kafkaAnswers(port, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write(METADATA));
    let answer = Buffer.alloc(0);
    /** @param {boolean} verdict */
    const end = (verdict) => {
      socket.destroy();
      resolve(verdict);
    };
    socket.setTimeout(ANSWER_LIMIT_MS, () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= BROKER_COUNT_AT + 4) end(answer.readInt32BE(BROKER_COUNT_AT) > 0);
    });
  });
}
