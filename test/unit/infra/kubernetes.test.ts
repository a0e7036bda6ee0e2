import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { credentialOf, localClients } from '../../../infra/local/clients.mjs';
import { inRoot } from '../../../infra/local/paths.mjs';
import { readConsoleConfig } from '../../../services/console/src/config.ts';
import { readIdentityPublisherConfig } from '../../../services/identity-publisher/src/config.ts';
import { readSessionServiceConfig } from '../../../services/session-service/src/config.ts';
import { readStorefrontConfig } from '../../../services/storefront/src/config.ts';
import { authority, signedBy } from '../../support/certificates.ts';
import { complaintsOfKubernetes, kubernetesResources, type Resource } from '../../support/kubernetes.ts';

const resources = kubernetesResources();
const named = (kind: Resource['kind'], name: string | undefined) =>
  resources.filter((one) => one.kind === kind && one.metadata?.name === name);
const deployments = resources.filter((one) => one.kind === 'Deployment');
const configuration = resources.find((one) => one.kind === 'ConfigMap')?.data ?? {};
const podOf = (deployment: (typeof deployments)[number]) => {
  const { metadata, spec } = deployment.spec?.template ?? {};
  const [container, ...others] = spec?.containers ?? [];
  if (container === undefined || others.length > 0) throw new Error('one container is expected');
  return { labels: metadata?.labels ?? {}, spec, container };
};
/** What the secrets hold, by their keys. */
const SECRETS: Readonly<Record<string, string>> = {
  clients: localClients(),
  credential: credentialOf('console'),
  'refresh-keys': randomBytes(32).toString('base64url'),
};

/** In the place of /etc/curfew. */
const etc = mkdtempSync(join(tmpdir(), 'curfew-kubernetes-'));
beforeAll(async () => {
  const ca = await authority();
  const { cert, key } = await signedBy(ca, 'session-service.curfew.svc');
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const files = {
    'ca/ca.crt': ca.cert,
    'tls/tls.crt': cert,
    'tls/tls.key': key,
    'secrets/kafka-password': 'secret',
    'secrets/redis-password': 'secret',
    'secrets/signing-key.json': JSON.stringify(jwk),
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(etc, file)), { recursive: true });
    writeFileSync(join(etc, file), text);
  }
});
afterAll(() => rmSync(etc, { recursive: true }));

/** Whose pods a resource is about. */
const selectorOf = (one: Resource) => {
  if (one.kind === 'Service') return one.spec?.selector;
  if (one.kind === 'NetworkPolicy') return one.spec?.podSelector?.matchLabels;
  return one.kind === 'PodDisruptionBudget' ? one.spec?.selector?.matchLabels : undefined;
};

describe('to Kubernetes', () => {
  test('every resource is well formed', () => {
    expect(complaintsOfKubernetes(resources)).toBe('');
  });

  test.each([
    ['a misspelt field', '"readinessProbe"', '"readynessProbe"'],
    ['a misspelt value', '"TCP"', '"TPC"'],
    ['a text for a number', '"replicas":2', '"replicas":"2"'],
    ['a field that is needed and absent', '"selector"', '"selektor"'],
    ['a field in a place that is not its own', '"metadata":{"name"', '"replicas":1,"metadata":{"name"'],
  ])('%s is an error', (_, right, wrong) => {
    const text = JSON.stringify(resources);
    expect(text).toContain(right);
    expect(complaintsOfKubernetes(JSON.parse(text.replace(right, wrong)))).toMatch(/error TS/);
  });
});

describe.each(deployments.map((one) => [one.metadata?.name, one] as const))('%s', (name, deployment) => {
  const { labels, spec, container } = podOf(deployment);

  test('runs as nobody of importance, writes nowhere and asks the cluster for nothing', () => {
    expect(spec?.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(spec?.automountServiceAccountToken).toBe(false);
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('says what it needs, and how it is', () => {
    expect(container.resources).toMatchObject({
      requests: { cpu: expect.any(String), memory: expect.any(String) },
      limits: { memory: expect.any(String) },
    });
    for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe])
      expect(probe?.httpGet?.port).toBe(container.ports?.[0]?.name);
    // Liveness by /readyz would restart a service for an outage of Kafka.
    expect(container.livenessProbe?.httpGet?.path).toBe('/healthz');
  });

  test('is found by its service, kept by its budget and closed to all but its callers', () => {
    const selector = deployment.spec?.selector.matchLabels;
    expect(labels).toMatchObject({ ...selector, 'app.kubernetes.io/name': name });
    for (const kind of ['Service', 'NetworkPolicy', 'PodDisruptionBudget'] as const)
      for (const one of named(kind, name)) expect(selectorOf(one), kind).toEqual(selector);
    expect(named('Service', name)).toHaveLength(1);
    expect(named('NetworkPolicy', name)).toHaveLength(1);
    expect(named('PodDisruptionBudget', name)).toHaveLength(deployment.spec?.replicas === 1 ? 0 : 1);
  });

  test('has an environment that it can read, and the files that it names are mounted', () => {
    const own = (container.env ?? []).map(({ name, value, valueFrom }) => [
      name,
      value ?? SECRETS[valueFrom?.secretKeyRef?.key ?? ''],
    ]);
    const all: Record<string, string | undefined> = {
      ...(container.envFrom ? configuration : {}),
      ...Object.fromEntries(own),
    };
    const environment = Object.fromEntries(
      Object.entries(all).map(([variable, value]) => [variable, value?.replace('/etc/curfew', etc)]),
    );
    const read = {
      console: readConsoleConfig,
      'identity-publisher': readIdentityPublisherConfig,
      orders: readStorefrontConfig,
      'session-service': readSessionServiceConfig,
    }[`${name}`];
    expect(read?.(environment)).toMatchObject({ host: '0.0.0.0', port: container.ports?.[0]?.containerPort });

    const mounted = container.volumeMounts?.map(({ mountPath }) => mountPath) ?? [];
    const needed = Object.entries(all).flatMap(([, value]) =>
      `${value}`.startsWith('/etc/curfew/') ? [dirname(`${value}`)] : [],
    );
    expect(mounted.toSorted()).toEqual([...new Set(needed)].toSorted());
    expect(spec?.volumes?.map((volume) => volume.name)).toEqual(container.volumeMounts?.map((mount) => mount.name));
  });
});

test('the console may take the memory that its page says, of 500 sidecars', () => {
  const page = readFileSync(inRoot('docs/console.md'), 'utf8');
  const [, base, each] = /no less than \*\*(\d+) MiB, and (\d+) MiB for each sidecar/.exec(page) ?? [];
  const console = deployments.find((one) => one.metadata?.name === 'console');
  const limit = /^(\d+)Mi$/.exec(`${console && podOf(console).container.resources?.limits?.['memory']}`)?.[1];
  expect(Number(limit)).toBeGreaterThanOrEqual(Number(base) + 500 * Number(each));
});

test('every program of an image is there', () => {
  const programs = deployments.map((one) => podOf(one).container.args?.[0] ?? '');
  for (const program of programs) expect(readFileSync(inRoot(program), 'utf8')).toContain('serve(');
});

test('every variable is one that a service reads', () => {
  const sources = ['libs', 'services']
    .flatMap((folder) => readdirSync(inRoot(folder), { recursive: true }).map((file) => inRoot(folder, `${file}`)))
    .filter((file) => /\/src\/.*\.ts$/.test(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('');
  const variables = new Set(JSON.stringify(resources).match(/CURFEW_\w+/g));
  expect(variables.size).toBeGreaterThan(5);
  for (const variable of variables) expect(sources, variable).toMatch(new RegExp(`\\b${variable}\\b`));
});

test('no secret is in a file: each is named in the page that says how to make it', () => {
  expect(resources.filter(({ kind }) => `${kind}` === 'Secret')).toEqual([]);
  const page = readFileSync(inRoot('docs/kubernetes.md'), 'utf8');
  const text = JSON.stringify(resources);
  const secrets = new Set(
    [...text.matchAll(/"secretKeyRef":\{"name":"([\w-]+)"|"secretName":"([\w-]+)"/g)].map(([, a, b]) => a ?? b),
  );
  expect(secrets.size).toBeGreaterThan(4);
  for (const secret of secrets)
    expect(page).toContain(`create secret ${/tls$/.test(`${secret}`) ? 'tls' : 'generic'} ${secret}`);
});

test('nobody reaches anybody where no policy says so', () => {
  const [nothing] = named('NetworkPolicy', 'nothing');
  expect(nothing && 'spec' in nothing && nothing.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
});
