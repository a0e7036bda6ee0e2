import { CurfewError, redisRefusal } from '@curfew/contracts';
import { createRedis, type StoreOptions } from '@curfew/store';
import type { ClockFacts } from './judge-clocks.ts';
import type { RedisFacts } from './judge-redis.ts';

/** @throws CurfewError `store_unavailable`; it does not quote the URL, which may hold a password. */
export async function redisFacts({
  url,
  ...security
}: StoreOptions & { readonly url: string }): Promise<{ servers: RedisFacts[]; clocks: ClockFacts[] }> {
  const redis = createRedis(url, security);
  let away: CurfewError | undefined;
  try {
    await redis.start((error) => {
      away = error;
    });
    if (redis.notReady().length > 0) throw away ?? new Error('it is not ready');
    const looks = await Promise.all(
      redis.masters().map(async (server) => {
        const address = `${server.options.host}:${server.options.port}`;
        const info = membersOf(await server.info());
        const cluster = info['cluster_enabled'] === '1' ? membersOf(await server.cluster('INFO')) : {};
        const asked = Date.now();
        const [seconds, micros] = await server.time();
        const leadMs = Number(seconds) * 1000 + Number(micros) / 1000 - (asked + Date.now()) / 2;
        return { server: { address, info: { ...info, ...cluster } }, clock: { of: `Redis ${address}`, leadMs } };
      }),
    );
    return { servers: looks.map(({ server }) => server), clocks: looks.map(({ clock }) => clock) };
  } catch (error) {
    const refused = error instanceof CurfewError && error.reason !== undefined ? error : redisRefusal(error);
    if (refused) throw refused;
    const { detail = 'Redis does not answer' } = error instanceof CurfewError ? error : {};
    throw new CurfewError('store_unavailable', `${detail}. Is CURFEW_REDIS_URL right?`);
  } finally {
    await redis.close();
  }
}

const membersOf = (info: string): Record<string, string> =>
  Object.fromEntries([...info.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]));
