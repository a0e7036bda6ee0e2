import { existing } from './environment.mjs';
import { startKafka } from './kafka.mjs';
import { refreshKeys, signingKey } from './keys.mjs';
import { provide } from './programs.mjs';
import { startRedis } from './redis.mjs';
import { removeDirectory } from './remove-directory.mjs';
import { localServices, startService } from './services.mjs';
import { StartError } from './start-error.mjs';
import { startZipkin } from './zipkin.mjs';

/**
 * The running stack.
 *
 * @typedef {object} RunningStack
 * @property {readonly (readonly [name: string, address: string])[]} addresses
 * @property {AbortSignal} signal aborts when a part of the stack ends by itself, or with the caller's signal; its reason says why
 * @property {() => Promise<void>} stop ends everything that was started, and removes its data; the logs stay
 */

/** @typedef {import('./processes.mjs').Started} Started */

/**
 * Starts the stack without containers: Kafka, Redis and, for traces, Zipkin, unless the environment names existing ones,
 * then the services.
 *
 * @param {object} options
 * @param {Readonly<Record<keyof typeof import('./services.mjs').PORTS, number>>} options.ports all free
 * @param {boolean} [options.traces] whether the services send their spans to a Zipkin
 * @param {string} options.directory for logs and data; what it held before is removed
 * @param {Pick<ReturnType<typeof import('./progress.mjs').createProgress>, 'run'>} options.progress
 * @param {AbortSignal} options.signal gives up, and ends what was started
 * @returns {Promise<RunningStack>}
 * @throws {StartError} where a part does not come up; everything is ended by then.
 */
export async function startStack({ ports, traces = false, directory, progress, signal }) {
  const { brokers, redisUrl, zipkinUrl } = existing();
  const broken = new AbortController();
  const giveUp = () => broken.abort(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();

  /** @type {Started[]} */
  const started = [];
  let stopping = false;
  const stop = async () => {
    stopping = true;
    // The services first, so that none is left to complain about its Kafka, and Zipkin gets their last spans.
    const isUsed = (/** @type {Started} */ { name }) => ['Kafka', 'Redis', 'Zipkin'].includes(name);
    await Promise.all(started.filter((one) => !isUsed(one)).map((one) => one.stop()));
    await Promise.all(started.filter(isUsed).map((one) => one.stop()));
    signal.removeEventListener('abort', giveUp);
  };

  /** @template {Started} T @param {string} name @param {(say: (doing: string) => void) => Promise<T>} start @param {(one: T) => string} address */
  const part = async (name, start, address) => {
    try {
      const one = await progress.run(name, start, { outcome: address, signal: broken.signal });
      started.push(one);
      one.ended.then((how) => {
        if (!stopping) broken.abort(new StartError(`${name} ended by itself: ${how}.`, { log: one.log }));
      });
      return one;
    } catch (error) {
      broken.abort(error);
      throw error;
    }
  };
  /** All of them, or the first one's error when the last one has ended. @template T @param {(T | Promise<T>)[]} parts */
  const together = async (parts) => {
    const ends = await Promise.allSettled(parts);
    broken.signal.throwIfAborted();
    return ends.map((end) => /** @type {PromiseFulfilledResult<T>} */ (end).value);
  };

  try {
    await removeDirectory(directory);
    const giving = { directory, signal: broken.signal };
    if (redisUrl === undefined) await provideRedis(broken.signal);
    const [kafka, redis, zipkin] = await together([
      brokers ??
        part(
          'Kafka',
          (say) => startKafka({ ...giving, port: ports.Kafka, say }),
          (one) => one.brokers,
        ).then((one) => one.brokers),
      redisUrl ??
        part(
          'Redis',
          () => startRedis({ ...giving, port: ports.Redis }),
          ({ url }) => url,
        ).then(({ url }) => url),
      traces
        ? (zipkinUrl ??
          part(
            'Zipkin',
            (say) => startZipkin({ ...giving, port: ports.Zipkin, say }),
            ({ url }) => url,
          ).then(({ url }) => url))
        : undefined,
    ]);
    const keys = { signingKey: signingKey(), refreshKeys: refreshKeys() };
    const services = localServices({ brokers: `${kafka}`, redisUrl: `${redis}`, zipkinUrl: zipkin, ...keys, ports });
    const running = await together(
      services.map((service) =>
        part(
          service.name,
          () => startService(service, giving),
          ({ url }) => url,
        ),
      ),
    );
    return {
      addresses: [
        ...running.map(({ name, url }) => /** @type {const} */ ([name, url])),
        ['Kafka', `${kafka}`],
        ['Redis', `${redis}`],
        ...(zipkin === undefined ? [] : [/** @type {const} */ (['Zipkin', zipkin])]),
      ],
      signal: broken.signal,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param {AbortSignal} signal */
const provideRedis = (signal) => provide('redis-server', 'redis-server', { signal });
