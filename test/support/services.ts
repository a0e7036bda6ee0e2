import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../infra/local/ports.mjs';
import { removeDirectory } from '../../infra/local/remove-directory.mjs';
import { localServices, PORTS, startService } from '../../infra/local/services.mjs';
import type { Stack } from './stack.ts';

type Name = 'session-service' | 'identity-publisher' | 'orders' | 'payments' | 'console';
type Running = Awaited<ReturnType<typeof startService>>;

/** The services as processes, each on a free port. */
export interface Services {
  readonly urls: Readonly<Record<Name, string>>;
  readonly processes: Readonly<Record<Name, Running>>;
  /** The private JWK that signs their tokens. */
  readonly signingKey: string;
  /** Ends one, and starts it again as it was. */
  restart(name: Name): Promise<void>;
  /** Ends the processes that still run, and removes their logs. */
  stop(): Promise<void>;
}

/**
 * @param stack Kafka and Redis that the services use; they need not be there.
 * @param awaitReady false: returns while `/readyz` still says 503.
 * @param environment of a service, where it is another than usual.
 * @param withConsole most tests look at no page.
 */
export async function startServices(
  { brokers, redisUrl }: Stack,
  awaitReady = true,
  environment: { readonly [N in Name]?: Readonly<Record<string, string>> } = {},
  withConsole = false,
): Promise<Services> {
  const directory = await mkdtemp(join(tmpdir(), 'curfew-services-'));
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = await freePorts(5);
  const ports = { ...PORTS, 'session-service': a, 'identity-publisher': b, orders: c, payments: d, console: e };
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const signingKey = JSON.stringify(jwk);
  const refreshKeys = randomBytes(32).toString('base64url');
  const services = localServices({ brokers: brokers.join(','), redisUrl, signingKey, refreshKeys, ports });
  const wanted = services
    .filter(({ name }) => withConsole || name !== 'console')
    .map(({ env, ...service }) => ({ ...service, env: { ...env, ...environment[service.name as Name] } }));
  const started = await Promise.allSettled(wanted.map((service) => startService(service, { directory, awaitReady })));
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async () => {
    await Promise.all(running.map((one) => one.stop()));
    await removeDirectory(directory);
  };
  for (const one of started)
    if (one.status === 'rejected') {
      await stop();
      throw one.reason;
    }
  const byName = <T>(of: (one: Running) => T) =>
    Object.fromEntries(running.map((one) => [one.name, of(one)])) as Record<Name, T>;
  const processes = byName((one) => one);
  const restart = async (name: Name) => {
    await processes[name].stop();
    for (const service of wanted.filter((one) => one.name === name)) {
      processes[name] = await startService(service, { directory, awaitReady });
      running.push(processes[name]);
    }
  };
  return { urls: byName(({ url }) => url), processes, signingKey, restart, stop };
}
