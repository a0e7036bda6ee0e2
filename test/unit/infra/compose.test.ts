import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { STAND_INS } from '../../../infra/docker/stand-ins.mjs';
import { inRoot } from '../../../infra/local/paths.mjs';

/** What this file looks at of a service of Compose. */
interface Service {
  readonly image: string;
  readonly build?: unknown;
  readonly profiles?: readonly string[];
  readonly restart?: string;
  readonly user?: string;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly read_only?: boolean;
  readonly mem_limit?: string;
  readonly cpus?: number;
  readonly pids_limit?: number;
  readonly stop_grace_period?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly secrets?: readonly object[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly healthcheck?: object;
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>;
}

const text = readFileSync(inRoot('docker-compose.yml'), 'utf8');
const compose: {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
  readonly secrets: Readonly<Record<string, { readonly environment: string }>>;
} = parse(text, { merge: true });
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image === 'curfew');
const serviceOf = (name: string): Service => {
  const service = compose.services[name];
  if (service === undefined) throw new Error(`there is no ${name}`);
  return service;
};

describe.each(services)('the container of %s', (_, service) => {
  test('is reached from this machine alone', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  test('has limits, comes back by itself, and cannot become more than it is', () => {
    expect(service.restart).toBe('unless-stopped');
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
    expect(service.cpus).toBeGreaterThan(0);
    expect(service.pids_limit).toBeGreaterThan(0);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
  });

  test('keeps what must last in a volume with a name, and mounts nothing writable from this machine', () => {
    for (const volume of service.volumes ?? []) {
      const [source = '', , mode] = volume.split(':');
      if (!source.startsWith('.')) expect(compose.volumes).toHaveProperty(source);
      else {
        expect(mode, volume).toBe('ro');
        expect(existsSync(inRoot(source)), volume).toBe(true);
      }
    }
  });

  test('is of one version', () => {
    expect(service.image).toMatch(/^curfew$|:v?\d[\w.]*\}?$/);
  });
});

test('no secret stands in the file: each comes from the environment, and nothing that starts no container needs one', () => {
  const secret = /KEY|PASSWORD|CREDENTIAL|CLIENTS|SECRET|TOKEN/;
  for (const [name, { environment = {} }] of services)
    for (const [variable, value] of Object.entries(environment))
      if (secret.test(variable)) expect(value, `${variable} of ${name}`).toBe(`\${${variable}:-}`);
  expect([...text.matchAll(/:\/\/[^:/\s]+:([^@\s]+)@/g)].map(([, password]) => password)).not.toEqual([]);
  for (const [, password] of text.matchAll(/:\/\/[^:/\s]+:([^@\s]+)@/g))
    expect(password).toMatch(/^\$\{CURFEW_REDIS_PASSWORD_\w+:-\}$/);
  for (const { environment } of Object.values(compose.secrets)) expect(environment).toMatch(/^CURFEW_/);
  expect(text).not.toMatch(/\$\{\w+:?\?/);
});

test('without a profile there are Kafka, Redis and the services, and each tells whether it can do its work', () => {
  const always = services.filter(([, { profiles }]) => profiles === undefined).map(([name]) => name);
  expect(always).toEqual([
    ...['kafka', 'redis', 'session-service', 'identity-publisher', 'orders', 'payments', 'console'],
  ]);
  expect(serviceOf('kafka').healthcheck).toBeDefined();
  expect(serviceOf('redis').healthcheck).toBeDefined();
  // The services have the health check of their image.
  expect(readFileSync(inRoot('infra/docker/Dockerfile'), 'utf8')).toMatch(/^HEALTHCHECK [\s\S]*\/readyz/m);
  for (const [name, { healthcheck }] of ours) expect(healthcheck, name).toBeUndefined();
});

test('what starts waits until what it needs is healthy', () => {
  for (const name of ['session-service', 'orders', 'payments'])
    expect(serviceOf(name).depends_on, name).toEqual({
      kafka: { condition: 'service_healthy' },
      redis: { condition: 'service_healthy' },
    });
  expect(serviceOf('identity-publisher').depends_on).toEqual({ kafka: { condition: 'service_healthy' } });
  expect(serviceOf('console').depends_on).toEqual({ 'session-service': { condition: 'service_healthy' } });
});

test('the services write nothing, and share one image, which is built once', () => {
  expect(ours.map(([name]) => name)).toHaveLength(5);
  for (const [name, { read_only, environment = {}, ports }] of ours) {
    expect(read_only, name).toBe(true);
    expect(ports, name).toEqual([`127.0.0.1:${environment['PORT']}:${environment['PORT']}`]);
  }
  expect(services.filter(([, { build }]) => build !== undefined).map(([name]) => name)).toEqual(['session-service']);
});

test('a service has longer to end than it gives itself', () => {
  const serve = readFileSync(inRoot('libs/http/src/serve.ts'), 'utf8');
  const limitMs = Number(/STOP_LIMIT_MS = ([\d_]+)/.exec(serve)?.[1]?.replaceAll('_', ''));
  for (const [name, { stop_grace_period = '10s' }] of ours)
    expect(Number.parseInt(stop_grace_period, 10) * 1000, name).toBeGreaterThan(limitMs);
});

test('Redis keeps every version, on disk too, and knows each part as a user of its own', () => {
  const { command = [], user } = serviceOf('redis');
  expect(command.join(' ')).toContain('--aclfile');
  expect(command.join(' ')).toContain('--appendonly yes');
  expect(command.join(' ')).toContain('--maxmemory-policy noeviction');
  expect(user).toBe('redis');
  const users = [...text.matchAll(/redis:\/\/([\w-]+):/g)].map(([, name]) => name);
  expect(users.sort()).toEqual(['session-service', 'sidecar-cookies']);
  const acl = readFileSync(inRoot('infra/redis/users.acl'), 'utf8');
  for (const name of users) expect(acl).toMatch(new RegExp(`^user ${name} on `, 'm'));
});

test('Redis has the password of each user, in a file that it may read with every version of Compose', () => {
  const acl = readFileSync(inRoot('infra/redis/users.acl'), 'utf8');
  const users = [...acl.matchAll(/^user ([\w-]+) on (?!nopass)/gm)].map(([, name]) => `redis-${name}`);
  expect(Object.keys(compose.secrets)).toEqual(users);
  // 0444; YAML 1.2 has no octal number of this form, Compose's reader has.
  const secrets = users.map((source) => ({ source, uid: '0', mode: 444 }));
  expect(serviceOf('redis').secrets).toEqual(secrets);
});

/** Each `VOLUME` of the public images, where nobody reaches a registry to ask; the stand-ins have those of Kafka and Redis. */
const VOLUMES = {
  kafka: ['/etc/kafka/secrets', '/var/lib/kafka/data', '/mnt/shared/config'],
  redis: ['/data'],
  jaeger: ['/tmp'],
  prometheus: ['/prometheus'],
};

test.each(Object.entries(VOLUMES))(
  'each volume of the image of %s has a name, or goes with its container',
  (name, volumes) => {
    const { volumes: mounted = [], tmpfs = [] } = serviceOf(name);
    const named = mounted.filter((one) => !one.startsWith('.')).map((one) => one.split(':')[1]);
    expect([...named, ...tmpfs].sort()).toEqual(volumes.toSorted());
  },
);

test('a stand-in has the version of the public image whose place it takes', () => {
  const [, kafka] = /apache\/kafka:([\d.]+)/.exec(serviceOf('kafka').image) ?? [];
  expect(STAND_INS.kafka).toBe(`curfew/kafka:${kafka}`);
  expect(readFileSync(inRoot('infra/kafka/pom.xml'), 'utf8')).toContain(`<version>${kafka}</version>`);
  const [, redis] = /redis:([\d.]+)\}/.exec(serviceOf('redis').image) ?? [];
  expect(STAND_INS.redis).toBe(`curfew/redis:${redis}`);
});

describe('the profile observability', () => {
  const collector = parse(readFileSync(inRoot('infra/otel/collector.yml'), 'utf8'));

  test('has what takes traces and metrics, and nothing else', () => {
    const names = services.filter(([, { profiles }]) => profiles?.includes('observability')).map(([name]) => name);
    expect(names).toEqual(['otel-collector', 'jaeger', 'prometheus', 'grafana']);
  });

  test('takes the spans of every service that has a part in the trace, to the Jaeger that the console links to', () => {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: Compose fills them in.
    for (const name of ['session-service', 'identity-publisher', 'orders', 'payments'])
      expect(serviceOf(name).environment, name).toMatchObject({
        OTEL_TRACES_EXPORTER: '${COMPOSE_PROFILES:+otlp}',
        OTEL_EXPORTER_OTLP_ENDPOINT: '${COMPOSE_PROFILES:+http://otel-collector:4318}',
      });
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: Compose fills them in.
    expect(collector.receivers.otlp.protocols.http.endpoint).toBe('0.0.0.0:4318');
    expect(collector.service.pipelines.traces.exporters).toEqual(['otlp_grpc/jaeger']);
    expect(collector.exporters['otlp_grpc/jaeger'].endpoint).toBe('jaeger:4317');
    expect(serviceOf('jaeger').ports).toEqual(['127.0.0.1:16686:16686']);
    expect(serviceOf('console').environment?.['CURFEW_TRACE_URL']).toBe('http://127.0.0.1:16686/trace/{traceId}');
  });

  test('has a Grafana that nobody signs in to, and that asks nobody for anything', () => {
    expect(serviceOf('grafana').environment).toMatchObject({
      GF_AUTH_BASIC_ENABLED: 'false',
      GF_AUTH_DISABLE_LOGIN_FORM: 'true',
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
      GF_PLUGINS_PREINSTALL_DISABLED: 'true',
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
    });
  });

  test('scrapes every service where it listens', () => {
    const targets = readFileSync(inRoot('infra/prometheus/prometheus.yml'), 'utf8').matchAll(/"([\w-]+:\d+)"/g);
    const listening = ours.map(([name, { environment }]) => `${name}:${environment?.['PORT']}`);
    expect([...targets].map(([, target]) => target).sort()).toEqual(listening.sort());
  });
});
