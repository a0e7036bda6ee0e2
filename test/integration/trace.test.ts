import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { EFFECT_RULES } from '@curfew/contracts';
import { createKafka, createPublisher } from '@curfew/publisher';
import { createSidecar, type Sidecar } from '@curfew/sidecar';
import { ATTR, tracer } from '@curfew/telemetry';
import { SpanKind } from '@opentelemetry/api';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { KafkaBus } from '../../services/session-service/src/events/kafka-bus.ts';
import { Feed } from '../../services/session-service/src/events/kafka-feed.ts';
import { Pipeline } from '../../services/session-service/src/events/pipeline.ts';
import { connectStore } from '../../services/session-service/src/store/redis-connection.ts';
import { RedisSessions } from '../../services/session-service/src/store/redis-sessions.ts';
import { RedisVersions } from '../../services/session-service/src/store/redis-versions.ts';
import { PARTITIONS } from '../support/account-event-records.ts';
import { recordSpans } from '../support/recorded-spans.ts';
import { CLAIMS, createIssuer } from '../unit/sidecar/issuer.ts';

const { brokers, redisUrl } = inject('stack');
const spans = recordSpans();

const redis = connectStore(redisUrl);
const kafka = createKafka({ brokers, clientId: 'trace-test' });
const bus = new KafkaBus(kafka);
const versions = new RedisVersions({ redis: redis.client, partitions: PARTITIONS, versionTtlMs: 3_600_000 });
const sessions = new RedisSessions(redis.client, Date.now);
const pipeline = new Pipeline({
  versions,
  sessions,
  bus,
  partitions: PARTITIONS,
  rules: EFFECT_RULES,
  onRecord: (step) => feed.applied(step),
  onAnnounced: () => {},
  warn: () => {},
  now: Date.now,
});
const feed = new Feed({
  kafka,
  bus,
  versions,
  pipeline,
  partitions: PARTITIONS,
  tickIntervalMs: 500,
  maxViewAgeMs: 2000,
  readAnnounced: async () => [],
  now: Date.now,
  warn: () => {},
});
const publisher = createPublisher({ brokers, issuer: 'https://id.example.com' });
const issuer = await createIssuer();
const keys = createServer((_request, response) => response.end(JSON.stringify({ keys: [issuer.jwk] })));
let sidecar: Sidecar;

beforeAll(async () => {
  await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
  const jwksUrl = `http://127.0.0.1:${(keys.address() as AddressInfo).port}`;
  sidecar = createSidecar({ brokers, jwksUrl, issuer: CLAIMS.iss, audience: 'shop', service: 'trace-test' });
  redis.start(() => {});
  await publisher.start();
  feed.start();
  await vi.waitFor(() => expect(feed.notReady()).toEqual([]), { timeout: 20_000 });
  await sidecar.start();
});

afterAll(async () => {
  await Promise.all([sidecar.close(), publisher.close(), feed.close()]);
  redis.close();
  keys.close();
});

test('one trace shows the whole way, from the account event to the version that a sidecar applies', async () => {
  const { partition, offset } = await publisher.accountDisabled({ subject: randomUUID() });
  const names = [
    'send curfew.account-events',
    'process curfew.account-events',
    'EVALSHA',
    'send curfew.session-versions',
    'apply session version',
  ];
  const sent = () => spans.find((span) => span.name === names[0]);
  const trace = () => spans.filter((span) => span.spanContext().traceId === sent()?.spanContext().traceId);
  await expect
    .poll(() =>
      trace()
        .map(({ name }) => name)
        .sort(),
    )
    .toEqual([...names].sort());

  const parentOf = (name: string) => {
    const span = trace().find((one) => one.name === name);
    return trace().find((one) => one.spanContext().spanId === span?.parentSpanContext?.spanId)?.name;
  };
  expect(Object.fromEntries(names.map((name) => [name, parentOf(name)]))).toEqual({
    'send curfew.account-events': undefined,
    'process curfew.account-events': 'send curfew.account-events',
    EVALSHA: 'process curfew.account-events',
    'send curfew.session-versions': 'process curfew.account-events',
    'apply session version': 'send curfew.session-versions',
  });

  // Two ticks later: they travel the same way twice a second, and would drown the traces.
  await sleep(1100);
  expect(spans.map(({ name }) => name).sort()).toEqual([...names].sort());

  const processing = trace().find((span) => span.name === 'process curfew.account-events');
  expect(processing?.kind).toBe(SpanKind.CONSUMER);
  expect(processing?.attributes).toMatchObject({
    [ATTR.messagingSystem]: 'kafka',
    [ATTR.messagingDestination]: 'curfew.account-events',
    [ATTR.messagingPartition]: String(partition),
    [ATTR.messagingOffset]: offset,
  });
});

test('it ends in the first request that the sidecar rejects, which is linked with it and back', async () => {
  const sub = randomUUID();
  const now = Date.now();
  const times = { iat: Math.floor(now / 1000), exp: Math.floor(now / 1000) + 600 };
  const token = await issuer.sign({ ...times, sub, aud: 'shop', ver: { s: now - 1000, t: 0, r: now - 1000, at: now } });
  const request = () =>
    tracer().startActiveSpan('request', async (span) => {
      const { ok } = await sidecar.authenticate(token);
      span.end();
      return ok;
    });
  await expect.poll(request).toBe(true);
  await publisher.accountDisabled({ subject: sub });
  await expect.poll(request).toBe(false);
  expect(await request()).toBe(false);

  const applied = spans.find(({ name }) => name === 'apply session version');
  const rejections = spans.filter(({ name }) => name === 'first rejection');
  expect(rejections.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([applied?.spanContext().spanId]);
  const [rejection] = rejections;
  const rejected = spans.filter(({ name, links }) => name === 'request' && links.length > 0);
  expect(rejected.map(({ links }) => links[0]?.context.spanId)).toEqual([rejection?.spanContext().spanId]);
  expect(rejection?.links.map(({ context }) => context.spanId)).toEqual([rejected[0]?.spanContext().spanId]);
  expect(rejection?.spanContext().traceId).toBe(
    spans.find(({ name }) => name === 'send curfew.account-events')?.spanContext().traceId,
  );
});
