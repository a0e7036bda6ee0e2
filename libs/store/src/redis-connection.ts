import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { CurfewError, type RedisSecurity, redisRefusal } from '@curfew/contracts';
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { HeardConnector } from './redis-connector.ts';
import { READ_RECORD } from './redis-session-records-script.ts';
import { READ_VERSIONS } from './redis-versions-script.ts';

/** Longest wait for one command, and for the connection, ms. */
const COMMAND_TIMEOUT_MS = 1000;
/** A socket that answers nothing for this long is replaced, ms. */
const SOCKET_TIMEOUT_MS = 2000;
/** How long the end of a connection may take before it is cut, ms. The client keeps a timer for it. */
const DISCONNECT_TIMEOUT_MS = 100;
const MIN_RECONNECT_DELAY_MS = 10;
const MAX_RECONNECT_DELAY_MS = 1000;

/** While a slot moves, or its server is being connected, a command is sent again after so long, ms; 16 times at the most. */
const CLUSTER_RETRY_DELAY_MS = 20;

export type RedisClient = Redis | Cluster;

/** Commands of the caller's own, by name: to be declared on `RedisCommander` of `ioredis` as well. */
type Scripts = NonNullable<RedisOptions['scripts']>;

export interface StoreOptions {
  readonly scripts?: Scripts;
  /** For `rediss://`, as `node:tls` takes it. Default: the public authorities are trusted. */
  readonly tls?: ConnectionOptions;
  /** Of the user that the URL names. Default: the one in the URL. */
  readonly password?: RedisSecurity['password'];
}

/** The connection to Redis, and whether it can be used. */
export interface RedisConnection {
  readonly client: RedisClient;
  /** Connections that were made anew after one was lost. */
  readonly reconnects: number;
  /**
   * Begins, and goes on trying for as long as Redis is away. Resolves after the first try.
   *
   * @param onAway hears why, `store_unavailable`: once each time that Redis goes away, and again where it turns this
   * client away for another reason. Never the client's own error: that quotes the password.
   */
  start(onAway: (error: CurfewError) => void): Promise<void>;
  /** What keeps Redis from answering, in words; where it turns this client away, with the reason. */
  notReady(): string[];
  /** The servers that hold keys: the one, or each master of the cluster. */
  masters(): Redis[];
  close(): Promise<void>;
}

/**
 * A connection that never waits in silence: while Redis is away a command fails at once, and it reconnects for ever, with
 * full jitter. A command that failed may have run, or still run, and a cluster's may be sent again: whatever is asked must
 * do no harm when it is done twice.
 *
 * @param url one server, or several of a cluster's between commas; what the first says of user, password and TLS holds
 * for all.
 * @throws CurfewError `option_invalid` where it is none; it does not quote it.
 */
export function createRedis(url: string, options: StoreOptions = {}): RedisConnection {
  const [first = '', ...others] = url.split(',');
  const named = withPassword(first, options.password);
  const client =
    others.length === 0
      ? new Redis(named.href, serverOptions(named, options))
      : new Cluster([named.href, ...others], clusterOptions(named, options));
  /** Servers that a connection was made to. */
  const reached = new Set<string>();
  let reconnects = 0;
  /** Why it is away; undefined: it is not known to be. */
  let away: CurfewError | undefined;
  let asking = false;

  const watch = (server: Redis) => {
    // Sent before a command whose slot moves. The client drops the promise, and a rejection that nobody hears ends the
    // process; the command fails for itself.
    const ask = server.asking.bind(server);
    server.asking = () => {
      const asked = ask();
      asked.catch(() => {});
      return asked;
    };
    server.on('ready', () => {
      const address = `${server.options.host}:${server.options.port}`;
      if (reached.has(address)) reconnects += 1;
      reached.add(address);
      back();
    });
  };
  // A server of a cluster is ready before the cluster is.
  const back = () => {
    if (client.status === 'ready') away = undefined;
  };
  if (client instanceof Cluster) client.on('+node', watch);
  else watch(client);

  return {
    client,
    get reconnects() {
      return reconnects;
    },
    start: async (onAway) => {
      const tell = (now: CurfewError) => {
        const before = away;
        away = now;
        if (before === undefined || before.reason !== now.reason) onAway(now);
      };
      const tellOf = (error: Error) => tell(redisRefusal(error) ?? absenceOf(error));
      client.on('error', tellOf);
      client.on('node error', tellOf);
      if (client instanceof Cluster) {
        // The client asks a cluster whether it is ready, and leaves it without an error where it is not, or may not ask.
        client.on('connect', () => {
          asking = true;
        });
        client.on('ready', () => {
          asking = false;
          back();
        });
        client.on('close', () => {
          if (asking && away === undefined) tell(new CurfewError('store_unavailable', CLUSTER_NOT_READY));
          asking = false;
        });
      }
      // Told by the events as well, and tried again. A cluster that is not ready leaves the promise as it is.
      const left = new Promise((resolve) => client.once('close', resolve));
      await Promise.race([client.connect().catch(() => {}), left]);
    },
    notReady: () => (client.status === 'ready' ? [] : [away?.detail ?? `Redis is ${client.status}`]),
    masters: () => (client instanceof Cluster ? client.nodes('master') : [client]),
    close: async () => {
      const servers = client instanceof Cluster ? client.nodes() : [client];
      // Between two tries there is no connection, and the client tells no end.
      const open = servers.filter(({ status }) => status !== 'end' && status !== 'reconnecting');
      const ended = Promise.all(open.map((server) => new Promise((resolve) => server.once('end', resolve))));
      asking = false;
      client.disconnect();
      await ended;
    },
  };
}

const CLUSTER_NOT_READY = 'Redis: the cluster is not ready (CLUSTER INFO), or the user may not ask it (right_missing)';

const absenceOf = ({ code, name }: NodeJS.ErrnoException): CurfewError =>
  new CurfewError('store_unavailable', `Redis does not answer: ${code ?? name}`);

const reconnectDelayMs = (attempt: number): number =>
  MIN_RECONNECT_DELAY_MS + Math.random() * Math.min(MAX_RECONNECT_DELAY_MS, 50 * 2 ** (attempt - 1));

const OF_EVERY_SERVER = {
  Connector: HeardConnector,
  autoResendUnfulfilledCommands: false,
  // None: what is under way when a connection is lost fails at once, not after its timeout.
  maxRetriesPerRequest: 0,
  commandTimeout: COMMAND_TIMEOUT_MS,
  socketTimeout: SOCKET_TIMEOUT_MS,
  connectTimeout: COMMAND_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  // Its user may not say who it is.
  disableClientInfo: true,
} satisfies RedisOptions;

const ofBoth = (scripts: Scripts = {}) => ({
  lazyConnect: true,
  enableOfflineQueue: false,
  scripts: { ...READ_VERSIONS, ...READ_RECORD, ...scripts },
});

function withPassword(url: string, password: string | undefined): URL {
  const named = URL.parse(url);
  if (named === null)
    throw new CurfewError('option_invalid', "Redis' URL cannot be read: are its user and password percent-encoded?");
  if (password !== undefined) named.password = encodeURIComponent(password);
  return named;
}

function serverOptions({ protocol, hostname }: URL, { scripts, tls }: StoreOptions) {
  // A server of many tenants chooses its certificate by the name; an address is none.
  const named = isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? { servername: hostname } : {};
  return {
    ...ofBoth(scripts),
    ...OF_EVERY_SERVER,
    retryStrategy: reconnectDelayMs,
    ...(protocol === 'rediss:' ? { tls: { ...named, ...tls } } : {}),
  } satisfies RedisOptions;
}

function clusterOptions({ protocol, username, password }: URL, { scripts, tls }: StoreOptions) {
  return {
    ...ofBoth(scripts),
    clusterRetryStrategy: reconnectDelayMs,
    slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
    retryDelayOnFailover: CLUSTER_RETRY_DELAY_MS,
    retryDelayOnClusterDown: CLUSTER_RETRY_DELAY_MS,
    retryDelayOnTryAgain: CLUSTER_RETRY_DELAY_MS,
    // A certificate is for a name: the socket resolves it.
    dnsLookup: (name, found) => found(null, name),
    redisOptions: {
      ...OF_EVERY_SERVER,
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' ? { tls: { ...tls } } : {}),
    },
  } satisfies ClusterOptions;
}

/** Runs commands; a failure becomes `store_unavailable`. ioredis' own error is dropped: it quotes keys and values. */
export async function answered<T>(commands: Promise<T>): Promise<T> {
  try {
    return await commands;
  } catch (error) {
    const detail = `Redis: ${error instanceof Error ? error.name : 'no answer'}`;
    throw redisRefusal(error) ?? new CurfewError('store_unavailable', detail);
  }
}
