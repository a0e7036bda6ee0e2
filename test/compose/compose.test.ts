import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeEnvironmentFile } from '../../infra/docker/environment-file.mjs';
import { inRoot } from '../../infra/local/paths.mjs';
import { playScenario } from '../../infra/local/scenario.mjs';
import { PORTS } from '../../infra/local/services.mjs';
import { call } from '../support/client.ts';
import { docker, noContainers, standIns } from '../support/docker.ts';

const START_LIMIT_MS = 180_000;
const OURS = ['session-service', 'identity-publisher', 'orders', 'payments', 'console'] as const;

const missing = noContainers();
if (missing !== undefined) console.warn(missing);

describe.skipIf(missing !== undefined)('docker-compose.yml', { timeout: 60_000 }, () => {
  const project = `curfew-test-${process.pid}`;
  let directory = '';
  let environmentFile = '';
  const compose = (...args: string[]): string => {
    const files = ['docker-compose.yml', 'test/compose/free-ports.yml'].flatMap((file) => ['--file', inRoot(file)]);
    return docker(['compose', '--project-name', project, '--env-file', environmentFile, ...files, ...args]);
  };
  const urlOf = (service: keyof typeof PORTS) => `http://${compose('port', service, `${PORTS[service]}`)}`;
  const inspect = (service: string) => JSON.parse(docker(['inspect', compose('ps', '--all', '--quiet', service)]))[0];
  const passwordOf = (user: string): string => {
    const name = `CURFEW_REDIS_PASSWORD_${user.toUpperCase().replaceAll('-', '_')}`;
    return new RegExp(`^${name}='(.*)'$`, 'm').exec(readFileSync(environmentFile, 'utf8'))?.[1] ?? '';
  };
  /** What Redis answers a user; of an error its code. */
  const redisAs = (user: string, password: string, ...command: string[]) => {
    const login = ['--no-auth-warning', '--user', user, '--pass', password];
    const said = compose('exec', '-T', 'redis', 'redis-cli', ...login, ...command);
    return /NOAUTH|NOPERM/.exec(said)?.[0] ?? said;
  };

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'curfew-compose-'));
    environmentFile = join(directory, '.env');
    writeEnvironmentFile(standIns(), environmentFile);
    compose('up', '--detach', '--wait', '--no-build');
  }, START_LIMIT_MS);
  afterAll(() => {
    compose('down', '--volumes');
    rmSync(directory, { recursive: true });
  }, 60_000);

  test('the scenario of npm start passes against it', async () => {
    const steps = await playScenario({
      urls: {
        sessionService: urlOf('session-service'),
        identityPublisher: urlOf('identity-publisher'),
        orders: urlOf('orders'),
        payments: urlOf('payments'),
      },
    });
    expect(steps.filter(({ failure }) => failure !== undefined)).toEqual([]);
  });

  test.each(OURS)('%s runs as nobody in particular, and cannot write', (service) => {
    expect(compose('exec', '-T', service, 'id', '-u')).toBe('1000');
    expect(() => compose('exec', '-T', service, 'touch', '/curfew/written')).toThrow(/Read-only file system/);
    expect(() => compose('exec', '-T', service, 'touch', '/tmp/written')).toThrow(/Read-only file system/);
  });

  test.each([...OURS, 'kafka', 'redis'])('%s has its limits', (service) => {
    const { HostConfig } = inspect(service);
    expect(HostConfig.Memory).toBeGreaterThan(0);
    expect(HostConfig.NanoCpus).toBeGreaterThan(0);
    expect(HostConfig.PidsLimit).toBeGreaterThan(0);
  });

  test('Redis lets nobody in without a password, and a sidecar write no version', () => {
    const sidecar = passwordOf('sidecar-cookies');
    const version = 'curfew:ver:{p0}:r';
    expect(compose('exec', '-T', 'redis', 'redis-cli', 'GET', version)).toMatch(/^NOAUTH /);
    expect(redisAs('sidecar-cookies', 'wrong', 'HGET', version, 'current')).toBe('NOAUTH');
    expect(redisAs('sidecar-cookies', sidecar, 'HGET', version, 'current')).toBe('');
    expect(redisAs('sidecar-cookies', sidecar, 'SET', version, '1')).toBe('NOPERM');
    expect(redisAs('sidecar-cookies', sidecar, 'HSET', version, 'current', '1')).toBe('NOPERM');
  });

  test('what ended stays ended, and who is signed in stays so, when Redis and a service are killed', async () => {
    const sessionService = urlOf('session-service');
    const subject = 'zoe';
    const signIn = async (subject: string) =>
      (await call('POST', `${sessionService}/v1/sessions`, { as: 'login', body: { subject } })).body;
    const token = String((await signIn(subject))['accessToken']);
    const { refreshToken } = await signIn('yan');
    const ended = await call('POST', `${urlOf('identity-publisher')}/v1/password-changed`, {
      as: 'identity',
      body: { subject },
    });
    expect(ended.status).toBe(202);
    await expect
      .poll(async () => (await call('GET', `${urlOf('orders')}/orders`, { token })).body['code'])
      .toBe('session_revoked');
    // Redis writes to its disk every second.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    for (const service of ['redis', 'orders']) docker(['kill', compose('ps', '--quiet', service)]);
    // A kill by hand is nothing to restart after; `up` is what a person does.
    compose('up', '--detach', '--wait', '--no-build');
    expect((await call('GET', `${urlOf('orders')}/orders`, { token })).body['code']).toBe('session_revoked');
    const version = await call('GET', `${urlOf('session-service')}/v1/subjects/${subject}/version`, { as: 'login' });
    expect(version.body['floor']).toBeGreaterThan(0);
    // Kafka brings versions back; a session's record is in Redis alone.
    const refreshed = await call('POST', `${sessionService}/v1/sessions/refresh`, { body: { refreshToken } });
    expect(refreshed.status).toBe(200);
  });

  test.each(OURS)('%s ends by SIGTERM, with exit code 0', (service) => {
    compose('stop', '--timeout', '20', service);
    expect(inspect(service).State).toMatchObject({ ExitCode: 0, OOMKilled: false });
  });

  test.each([...OURS, 'kafka', 'redis'])(
    '%s has no volume without a name, which `down` leaves and no later `down --volumes` removes',
    (service) => {
      const mounts: { Type: string; Name?: string }[] = inspect(service).Mounts;
      const volumes = mounts.filter(({ Type }) => Type === 'volume').map(({ Name }) => Name);
      expect(volumes).toEqual(['kafka', 'redis'].includes(service) ? [`${project}_${service}`] : []);
    },
  );

  test('`down --volumes` leaves nothing', () => {
    compose('down', '--volumes');
    const label = ['--filter', `label=com.docker.compose.project=${project}`];
    expect(docker(['ps', '--all', '--quiet', ...label])).toBe('');
    expect(docker(['volume', 'ls', '--quiet', ...label])).toBe('');
    expect(docker(['network', 'ls', '--quiet', ...label])).toBe('');
  });
});

test.skipIf(missing !== undefined)(
  'a service that is process 1 ends by SIGTERM, with exit code 0',
  async () => {
    const environment = {
      PORT: '7000',
      CURFEW_SESSION_SERVICE_URL: 'http://127.0.0.1:7001',
      CURFEW_CONSOLE_CREDENTIAL: 'a:b',
    };
    const variables = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const id = docker(['run', '--detach', '--read-only', ...variables, 'curfew', 'services/console/src/server.ts']);
    try {
      await expect.poll(() => docker(['logs', id]), { timeout: 20_000, interval: 200 }).toContain('Server listening');
      docker(['stop', '--time', '20', id]);
      expect(docker(['inspect', '--format', '{{.State.ExitCode}}', id])).toBe('0');
    } finally {
      docker(['rm', '--force', '--volumes', id]);
    }
  },
  60_000,
);
