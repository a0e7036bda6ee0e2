import { mkdir } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { freePorts } from '../../infra/local/ports.mjs';
import { type Started, startProcess, waitUntil } from '../../infra/local/processes.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { TcpLink } from './tcp-link.ts';

const START_LIMIT_MS = 10_000;

/** A Redis server of the pair, with the harness' own connection to it. */
interface Server {
  readonly port: number;
  process: Started;
  readonly client: Redis;
}

/**
 * A primary and its replica, neither of which writes to disk. Replication goes through a link, so that the replica can be
 * kept behind; who is the primary changes with each failover.
 */
export class RedisPair {
  readonly #servers: readonly [Server, Server];
  readonly #replication: TcpLink;
  #primary: 0 | 1 = 0;
  readonly #directory: string;

  private constructor(servers: readonly [Server, Server], replication: TcpLink, directory: string) {
    this.#servers = servers;
    this.#replication = replication;
    this.#directory = directory;
  }

  /** The port on which the primary answers now. */
  get port(): number {
    return this.#servers[this.#primary].port;
  }

  get primary(): Server {
    return this.#servers[this.#primary];
  }

  static async start(directory: string): Promise<RedisPair> {
    const [a = 0, b = 0] = await freePorts(2);
    const [first, second] = await Promise.all([startServer(a, directory), startServer(b, directory)]);
    const pair: RedisPair = new RedisPair([first, second], await TcpLink.listen(() => pair.port), directory);
    await second.client.replicaof('127.0.0.1', pair.#replication.port);
    return pair;
  }

  /** The replica gets nothing more, and does not know it. */
  holdReplication(): void {
    this.#replication.turn('silent');
  }

  /**
   * The replica becomes the primary with what it has, and the primary that was comes back as its empty replica.
   *
   * @param redirect has the clients connect anew.
   */
  async failOver(redirect: () => void): Promise<void> {
    const old = this.primary;
    this.#primary = this.#primary === 0 ? 1 : 0;
    await this.primary.client.replicaof('NO', 'ONE');
    await old.process.stop('SIGKILL');
    redirect();
    this.#replication.turn('open');
    this.#replication.reset();
    await this.#restart(old);
  }

  /** Kills the primary, which comes back with nothing: its replica then has nothing either. */
  async loseAll(pause: () => Promise<void>): Promise<void> {
    const server = this.primary;
    await server.process.stop('SIGKILL');
    await pause();
    await this.#restart(server);
  }

  async #restart(server: Server): Promise<void> {
    server.process = await startRedisServer(server.port, this.#directory);
    await waitUntil(server.process, () => answers(server.client), { limitMs: START_LIMIT_MS });
    if (server !== this.primary) await server.client.replicaof('127.0.0.1', this.#replication.port);
  }

  async stop(): Promise<void> {
    for (const { client } of this.#servers) client.disconnect();
    this.#replication.close();
    await Promise.all(this.#servers.map(({ process }) => process.stop('SIGKILL')));
    for (const { port } of this.#servers) await removeDirectory(`${this.#directory}/redis-${port}`);
  }
}

async function startServer(port: number, directory: string): Promise<Server> {
  const process = await startRedisServer(port, directory);
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 100 });
  client.on('error', () => {}); // It is killed again and again; the client comes back by itself.
  await waitUntil(process, () => answers(client), { limitMs: START_LIMIT_MS });
  return { port, process, client };
}

async function startRedisServer(port: number, directory: string): Promise<Started> {
  const working = `${directory}/redis-${port}`;
  await mkdir(working, { recursive: true });
  return startProcess({
    name: `Redis ${port}`,
    command: 'redis-server',
    args: `--port ${port} --bind 127.0.0.1 --save  --appendonly no --enable-debug-command yes --repl-diskless-sync-delay 0 --dir`
      .split(' ')
      .concat(working),
    log: `${directory}/redis-${port}.log`,
  });
}

const answers = (client: Redis): Promise<boolean> =>
  client.ping().then(
    () => true,
    () => false,
  );
