import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { startServer } from './redis.mjs';

/** Redis deals keys to so many slots. */
const SLOTS = 16_384;
const MASTERS = 3;
/** Each has a port for clients, and one for the others. */
export const CLUSTER_PORTS = 2 * MASTERS;

/**
 * Starts a Redis Cluster of three masters, which keeps no key on disk, and waits until each of them serves.
 *
 * @param {object} options
 * @param {readonly number[]} options.ports `CLUSTER_PORTS` of them, on the loopback address
 * @param {string} options.directory where the logs are, `redis-0.log` and so on
 * @param {AbortSignal} [options.signal] gives up, and ends what was started
 * @returns {Promise<{ readonly url: string, readonly stop: () => Promise<void> }>}
 * @throws {StartError} where there is no `redis-server`, or one does not come up; it names the log.
 */
export async function startRedisCluster({ ports, directory, signal }) {
  const nodes = Array.from({ length: MASTERS }, (_, i) => {
    const [port = 0, busPort = 0] = ports.slice(2 * i);
    const slots = `${Math.ceil((SLOTS * i) / MASTERS)}-${Math.ceil((SLOTS * (i + 1)) / MASTERS) - 1}`;
    return { name: `redis-${i}`, port, busPort, slots, id: createHash('sha1').update(`${port}`).digest('hex') };
  });
  const started = await Promise.allSettled(
    nodes.map(async (self) => {
      // Each is told of all before it starts: nothing has to be assigned or introduced afterwards.
      const known = nodes.map(({ id, port, busPort, slots }, epoch) => {
        const flags = id === self.id ? 'myself,master' : 'master';
        return `${id} 127.0.0.1:${port}@${busPort} ${flags} - 0 0 ${epoch + 1} connected ${slots}\n`;
      });
      const working = `${directory}/${self.name}`;
      await mkdir(working, { recursive: true });
      await writeFile(`${working}/nodes.conf`, `${known.join('')}vars currentEpoch ${MASTERS} lastVoteEpoch 0\n`);
      const args = ['--cluster-enabled', 'yes', '--cluster-port', `${self.busPort}`];
      return startServer({ ...self, working, args, ready: ['CLUSTER INFO', 'cluster_state:ok'], signal });
    }),
  );
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async () => void (await Promise.all(running.map((one) => one.stop())));
  for (const one of started)
    if (one.status === 'rejected') {
      await stop();
      throw one.reason;
    }
  return { url: running.map(({ url }) => url).join(','), stop };
}
