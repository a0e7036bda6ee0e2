import type { Finding } from './finding.ts';

/** One server that holds keys. */
export interface RedisFacts {
  /** `host:port` */
  readonly address: string;
  /** What `INFO` says, member by member. */
  readonly info: Readonly<Record<string, string | undefined>>;
}

const part = 'redis';
/** Scripts and functions as of then; the oldest that is tested. */
const MIN_MAJOR = 7;
/** Share of `maxmemory` from which on there is little left. */
const NEARLY_FULL = 0.9;

/**
 * @param isCluster whether `CURFEW_REDIS_URL` names a cluster.
 */
export function judgeRedis(servers: readonly RedisFacts[], isCluster: boolean): Finding[] {
  const findings = servers.flatMap((server) => [
    ...problemsOf(server, isCluster).map((finding) => ({ ...finding, part, level: 'problem' }) as const),
    ...warningsOf(server).map((finding) => ({ ...finding, part, level: 'warning' }) as const),
  ]);
  if (findings.some(({ level }) => level === 'problem')) return findings;
  const versions = [...new Set(servers.map(({ info }) => info['redis_version']))].join(', ');
  const says = `${servers.length === 1 ? 'a server' : `${servers.length} masters`} of version ${versions}, noeviction`;
  return [{ code: 'redis_ok', part, level: 'ok', says }, ...findings];
}

type Found = Required<Pick<Finding, 'code' | 'says' | 'todo'>>;

function problemsOf({ address, info }: RedisFacts, isCluster: boolean): Found[] {
  const version = info['redis_version'] ?? '';
  const policy = info['maxmemory_policy'];
  const found: (Found | false)[] = [
    Number.parseInt(version, 10) < MIN_MAJOR && {
      code: 'redis_too_old',
      says: `${address} is version ${version}`,
      todo: `Redis ${MIN_MAJOR}.0 or newer, or Valkey`,
    },
    policy !== 'noeviction' && {
      code: 'redis_evicts',
      says: `${address} has maxmemory-policy ${policy}: a session that has ended could come back`,
      todo: 'CONFIG SET maxmemory-policy noeviction, and in its configuration file',
    },
    info['role'] === 'slave' && {
      code: 'redis_read_only',
      says: `${address} is a replica`,
      todo: 'name its master in CURFEW_REDIS_URL',
    },
    info['cluster_enabled'] === '1' &&
      !isCluster && {
        code: 'redis_cluster_url',
        says: `${address} is of a cluster, and CURFEW_REDIS_URL names one server`,
        todo: 'name several servers of the cluster in CURFEW_REDIS_URL, between commas',
      },
    info['cluster_state'] === 'fail' && {
      code: 'redis_cluster_down',
      says: `${address} says that the cluster is down`,
      todo: 'see CLUSTER INFO and CLUSTER NODES: slots have no server',
    },
  ];
  return found.filter((one) => one !== false);
}

function warningsOf({ address, info }: RedisFacts): Found[] {
  const maxMemory = Number(info['maxmemory'] ?? 0);
  const failed = ['aof_last_write_status', 'rdb_last_bgsave_status'].filter((name) => info[name] === 'err');
  const found: (Found | false)[] = [
    info['aof_enabled'] === '0' && {
      code: 'redis_not_durable',
      says: `${address} has appendonly no: with a restart sessions are lost, and their users sign in again`,
      todo: 'in production, set appendonly yes',
    },
    failed.length > 0 && {
      code: 'redis_save_failed',
      says: `${address} cannot write to its disk: ${failed.join(', ')} is err`,
      todo: 'see its log, and the room on its disk',
    },
    maxMemory > 0 &&
      Number(info['used_memory']) > NEARLY_FULL * maxMemory && {
        code: 'redis_nearly_full',
        says: `${address} has used ${Math.round((Number(info['used_memory']) / maxMemory) * 100)} % of maxmemory`,
        todo: 'raise maxmemory (docs/capacity.md): a full server takes no sign-in and no event',
      },
  ];
  return found.filter((one) => one !== false);
}
