import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { INetworkPolicyPort } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPort';
import { expect, test } from 'vitest';
import { inRoot } from '../../../infra/local/paths.mjs';
import { kubernetesResources } from '../../support/kubernetes.ts';

type Labels = Readonly<Record<string, string>>;

const resources = kubernetesResources();
const policies = resources.filter((one) => one.kind === 'NetworkPolicy').flatMap(({ spec }) => (spec ? [spec] : []));
const configuration = resources.find((one) => one.kind === 'ConfigMap')?.data ?? {};
const pods = resources
  .filter((one) => one.kind === 'Deployment')
  .map(({ metadata, spec }) => {
    const [container] = spec?.template.spec?.containers ?? [];
    const own = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
    return {
      name: metadata?.name ?? '',
      labels: spec?.template.metadata?.labels ?? {},
      port: container?.ports?.[0]?.containerPort,
      environment: { ...(container?.envFrom ? configuration : {}), ...own } as Record<string, string | undefined>,
      manifest: readFileSync(inRoot(dirname(container?.args?.[0] ?? ''), '../package.json'), 'utf8'),
    };
  });
type Pod = (typeof pods)[number];
const sessionService = pods.find(({ name }) => name === 'session-service') as Pod;

const selects = (selector: { matchLabels?: Labels } | undefined, labels: Labels) =>
  selector !== undefined && Object.entries(selector.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
const has = (ports: readonly INetworkPolicyPort[] | undefined, wanted: number | undefined, protocol = 'TCP') =>
  ports?.some(
    ({ port, endPort = Number(port), ...other }) =>
      wanted !== undefined && other.protocol === protocol && Number(port) <= wanted && wanted <= endPort,
  ) === true;
const about = (type: 'Ingress' | 'Egress', { labels }: Pod) =>
  policies.filter(({ podSelector, policyTypes }) => policyTypes?.includes(type) && selects(podSelector, labels));

/** Whether a policy lets pods out to a port: of pods here, or of what is outside. */
const leaves = (pod: Pod, port: number, to: Pod | 'outside') =>
  about('Egress', pod)
    .flatMap(({ egress = [] }) => egress)
    .filter(({ ports }) => has(ports, port))
    .flatMap((rule) => rule.to ?? [])
    .some((peer) =>
      to === 'outside' ? peer.ipBlock : !peer.namespaceSelector && selects(peer.podSelector, to.labels),
    );
/** Whether one lets pods of this namespace in. */
const enters = (pod: Pod, port: number, from: Pod) =>
  about('Ingress', pod)
    .flatMap(({ ingress = [] }) => ingress)
    .filter(({ ports }) => has(ports, port))
    .flatMap((rule) => rule.from ?? [])
    .some((peer) => !peer.namespaceSelector && selects(peer.podSelector, from.labels));

/** The ports of the addresses, each of which would have to be open. */
const portsOf = (addresses: string | undefined) =>
  (addresses?.split(',') ?? []).map((one) => Number(new URL(one.includes('://') ? one : `kafka://${one}`).port));
/** Of the session service, where a part calls it: the console does, and a sidecar of another's gets its keys there. */
const sessionServiceOf = (pod: Pod) =>
  pod.environment['CURFEW_SESSION_SERVICE_URL'] ??
  (pod !== sessionService && pod.manifest.includes('"@curfew/sidecar"') ? pod.environment['CURFEW_ISSUER'] : undefined);

test.each(pods.map((pod) => [pod.name, pod] as const))(
  '%s is let out to Kafka, Redis and the session service where it is told their addresses, and else to none',
  (_, pod) => {
    const kafka = portsOf(pod.environment['CURFEW_KAFKA_BROKERS']);
    const redis = portsOf(pod.environment['CURFEW_REDIS_URL']);
    const service = portsOf(sessionServiceOf(pod));
    expect([...kafka, ...redis, ...service]).not.toEqual([]);
    for (const port of [...kafka, ...redis]) expect(leaves(pod, port, 'outside'), `${port}`).toBe(true);
    for (const port of service)
      expect([leaves(pod, port, sessionService), enters(sessionService, port, pod)]).toEqual([true, true]);
    const labels = Object.keys(pod.labels).filter((label) => label.startsWith('curfew/'));
    const needed = [
      ...(kafka.length > 0 ? ['curfew/uses-kafka'] : []),
      ...(redis.length > 0 ? ['curfew/uses-redis'] : []),
      ...(service.length > 0 ? ['curfew/calls-session-service'] : []),
    ];
    expect(labels.toSorted()).toEqual(needed.toSorted());
  },
);

test.each(pods.map((pod) => [pod.name, pod] as const))(
  '%s is let in at the port where it listens: by its own policy, and for Prometheus',
  (_, pod) => {
    const rules = about('Ingress', pod).flatMap(({ ingress = [] }) => ingress);
    const forMetrics = rules.filter(({ from }) =>
      from?.some(({ podSelector }) => selects(podSelector, { 'app.kubernetes.io/name': 'prometheus' })),
    );
    expect(forMetrics.map(({ ports }) => has(ports, pod.port))).toEqual([true]);
    const own = rules.filter((rule) => !forMetrics.includes(rule));
    expect(own.map(({ ports }) => ports)).toEqual([[{ protocol: 'TCP', port: pod.port }]]);
  },
);

test.each(pods.map((pod) => [pod.name, pod] as const))('%s looks names up, by UDP and by TCP', (_, pod) => {
  const rules = about('Egress', pod).flatMap(({ egress = [] }) => egress);
  const names = rules.filter(({ to }) =>
    to?.some(({ podSelector }) => selects(podSelector, { 'k8s-app': 'kube-dns' }) && podSelector?.matchLabels),
  );
  for (const protocol of ['UDP', 'TCP']) expect(names.some(({ ports }) => has(ports, 53, protocol))).toBe(true);
});
