import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { EFFECT_RULES } from '@curfew/contracts';
import { serve } from '@curfew/http';
import { createKafka, createPublisher } from '@curfew/publisher';
import { createTokenCheck } from '@curfew/sidecar/token-check';
import { startTelemetry } from '@curfew/telemetry/start';
import { buildApp } from './app.ts';
import { readSessionServiceConfig } from './config.ts';
import { Canaries } from './events/canaries.ts';
import { readAnnouncedVersions } from './events/kafka-announced-versions.ts';
import { KafkaBus } from './events/kafka-bus.ts';
import { Feed } from './events/kafka-feed.ts';
import { type AnnouncedEvent, Pipeline } from './events/pipeline.ts';
import type { Step } from './events/plan.ts';
import { createMetrics } from './metrics.ts';
import { Fleet } from './receipts/fleet.ts';
import { readReceipts } from './receipts/kafka-receipts.ts';
import { reportReceipts } from './receipts/metrics.ts';
import { MAX_CLOCK_SKEW_MS } from './receipts/outcome.ts';
import { Reports } from './receipts/reports.ts';
import { Grants } from './sessions/grants.ts';
import { RefreshTokens } from './sessions/refresh-tokens.ts';
import { Renewals } from './sessions/renewals.ts';
import { Revocations } from './sessions/revocations.ts';
import { RotatingKeys } from './sessions/rotating-keys.ts';
import { Sessions } from './sessions/sessions.ts';
import { ShownTokens } from './sessions/shown-tokens.ts';
import { SignIns } from './sessions/sign-ins.ts';
import { UntilTold } from './sessions/until-told.ts';
import { measured } from './store/measured.ts';
import { connectStore } from './store/redis-connection.ts';
import { RedisLedger } from './store/redis-ledger.ts';
import { RedisOutbox } from './store/redis-outbox.ts';
import { RedisSessions } from './store/redis-sessions.ts';
import { RedisVersions } from './store/redis-versions.ts';
import { StoreWatch } from './store/redis-watch.ts';
import { reportStore } from './store/store-metrics.ts';

const config = readSessionServiceConfig();
const { signingKey, signingKeyFile } = config;
const keys = await RotatingKeys.open({
  ...(signingKeyFile === undefined
    ? { variable: 'CURFEW_SIGNING_KEY', read: async () => signingKey }
    : { variable: 'CURFEW_SIGNING_KEY_FILE', read: () => readFile(signingKeyFile, 'utf8') }),
  onChange: ({ signer, jwks }, early) => {
    app.log.info({ signs: signer.kid, published: jwks.keys.length }, 'the signing keys were read anew');
    if (early)
      app.log.warn('the key that signs now was never published before: tokens may be refused until services know it');
  },
  onError: (error) => app.log.error({ err: error }, 'the signing keys cannot be read anew: those of before go on'),
});
const telemetry = startTelemetry('session-service');
const { issuer, audience, partitions, accessTtlMs, versionTtlMs, tickIntervalMs, maxViewAgeMs } = config;
const now = Date.now;
/** Longest that a logout waits for the bus: its event is in the outbox. */
const LOGOUT_LIMIT_MS = 1000;
const metrics = createMetrics();

const redis = connectStore(config.redisUrl, config.redisSecurity);
const storeWatch = new StoreWatch({ redis, warn: (message) => app.log.error(message) });
const { onOperation } = reportStore(redis, storeWatch);
const versions = measured(
  'versions',
  new RedisVersions({ redis: redis.client, partitions, versionTtlMs }),
  onOperation,
);
const store = measured('sessions', new RedisSessions(redis.client, now, metrics.onInvalidRecord), onOperation);
const publisher = createPublisher({
  ...config.kafka,
  issuer,
  clientId: 'session-service',
  publishTimeoutMs: LOGOUT_LIMIT_MS,
});
const kafka = createKafka({ ...config.kafka, clientId: 'session-service' });
const bus = new KafkaBus(kafka);

const warn = (message: string, error: unknown) => app.log.warn({ err: error }, message);
const fleet = new Fleet();
const receiptMetrics = reportReceipts(fleet, now);
const reports = new Reports({
  fleet,
  ledger: measured('ledger', new RedisLedger(redis.client), onOperation),
  boundMs: maxViewAgeMs,
  now,
  isComplete: () => receipts.notReady().length === 0 && feed.canBelieveReceipts,
  onEffective: receiptMetrics.onEffective,
  warn,
});
const receipts = readReceipts({
  ...config.kafka,
  now,
  onReceipt: (receipt) => {
    receiptMetrics.onReceipt();
    reports.heard(receipt);
  },
  onRejected: receiptMetrics.onRejected,
  onRefused: (error) => app.log.warn({ err: error }, 'what sidecars say is not read'),
});

const rules = [...config.effectRules, ...EFFECT_RULES];
const onRecord = (step: Step) => {
  metrics.onRecord(step);
  const { record, rejected, belongsIn } = step;
  const place = { partition: record.partition, offset: record.offset };
  if (rejected !== undefined) app.log.warn({ ...place, error: rejected }, 'an account event is kept aside');
  if (belongsIn !== undefined) app.log.warn({ ...place, belongsIn }, 'an account event lay in the wrong partition');
  feed.applied(step);
};
const onAnnounced = (events: readonly AnnouncedEvent[]) => {
  for (const event of events) receiptMetrics.onAnnounced(event);
  reports.announced(events.map(({ revocation }) => revocation));
};
const pipeline = new Pipeline({ versions, sessions: store, bus, partitions, rules, onRecord, onAnnounced, warn, now });
const feed = new Feed({
  kafka,
  bus,
  versions,
  pipeline,
  readAnnounced: () => readAnnouncedVersions(config.kafka, partitions),
  partitions,
  tickIntervalMs,
  maxViewAgeMs,
  now,
  warn,
});
const canaries = new Canaries({
  publisher,
  partitions: () => feed.partitions,
  count: partitions,
  intervalMs: config.canaryIntervalMs,
});
const revocations = new Revocations({
  issuer,
  outbox: measured('outbox', new RedisOutbox(redis.client), onOperation),
  publisher,
  now,
  warn,
});
const refreshTokens = new RefreshTokens(config.refreshKeys);
const life = {
  versions,
  store,
  revocations,
  refreshTokens,
  grants: new Grants({ tokens: { keys, issuer, audience, accessTtlMs }, refreshTokens, now }),
  maxViewAgeMs,
  maxClockSkewMs: MAX_CLOCK_SKEW_MS,
  now,
  onLifecycle: metrics.onLifecycle,
  untilTold: new UntilTold(() => sleep(500 + 1000 * Math.random(), undefined, { ref: false })),
};
const { lifetimes, maxSessionsPerSubject, limitRule, reuseGraceMs } = config;
const renewals = new Renewals({ ...life, reuseGraceMs });
const signIns = new SignIns({ ...life, renewals, lifetimes, maxSessionsPerSubject, limitRule, sleep });
const sessions = new Sessions(life);
const checkToken = createTokenCheck({ issuer, audience, maxClockSkewMs: MAX_CLOCK_SKEW_MS, now }, keys.getKey);
const shownTokens = new ShownTokens({ ...life, sessions, checkToken, issuer, audience });
const app = await buildApp({
  signIns,
  renewals,
  sessions,
  shownTokens,
  revocations,
  reports,
  fleet,
  maxViewAgeMs,
  versions,
  keys,
  access: { ...config.access, verifyAccessToken: (token) => shownTokens.userOf(token) },
  telemetry,
  notReady: () => [...redis.notReady(), ...feed.notReady(), ...publisher.notReady()],
});

keys.start();
redis.start((error) => app.log.warn({ err: error }, 'Redis')).then(() => storeWatch.start());
publisher.start();
revocations.start();
feed.start();
receipts.start();
canaries.start();
await serve(app, {
  host: config.host,
  port: config.port,
  telemetry,
  close: async () => {
    keys.close();
    canaries.stop();
    reports.close();
    await Promise.all([feed.close(), receipts.close()]);
    await revocations.close();
    await publisher.close();
    storeWatch.stop();
    await redis.close();
  },
});
