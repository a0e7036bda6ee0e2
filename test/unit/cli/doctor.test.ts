import { TOPIC_CONFIG, TOPICS } from '@curfew/contracts';
import { describe, expect, test } from 'vitest';
import { verdictOf } from '../../../libs/cli/src/commands/doctor.ts';
import type { Finding } from '../../../libs/cli/src/doctor/finding.ts';
import { judgeClocks } from '../../../libs/cli/src/doctor/judge-clocks.ts';
import { judgeTicks, judgeTopics, type TopicFacts } from '../../../libs/cli/src/doctor/judge-kafka.ts';
import { judgeRedis, type RedisFacts } from '../../../libs/cli/src/doctor/judge-redis.ts';

/** `problem topic_absent`, in order. */
const inShort = (findings: readonly Finding[]): string[] => findings.map(({ level, code }) => `${level} ${code}`);

const partition = { replicas: 3, inSync: 3, hasLeader: true };
const topic = (name: TopicFacts['name'], otherwise: Partial<TopicFacts> = {}): TopicFacts => ({
  name,
  partitions: Array.from({ length: 12 }, () => partition),
  ...otherwise,
  config: {
    ...TOPIC_CONFIG[name],
    'min.insync.replicas': '2',
    'unclean.leader.election.enable': 'false',
    ...otherwise.config,
  },
});
const topics = (changed?: TopicFacts): TopicFacts[] =>
  Object.values(TOPICS).map((name) => (changed?.name === name ? changed : topic(name)));

describe('topics', () => {
  test('that are as they should be are fine, in whatever order a list stands', () => {
    expect(inShort(judgeTopics(topics()))).toEqual(['ok topics_ok']);
    const swapped = topic(TOPICS.receipts, { config: { 'cleanup.policy': 'delete,compact' } });
    expect(inShort(judgeTopics(topics(swapped)))).toEqual(['ok topics_ok']);
  });

  test.each<[string, TopicFacts, string]>([
    ['another policy', topic(TOPICS.sessionVersions, { config: { 'cleanup.policy': 'delete' } }), 'topic_mismatch'],
    [
      'times of the producers',
      topic(TOPICS.accountEvents, { config: { 'message.timestamp.type': 'CreateTime' } }),
      'topic_mismatch',
    ],
    ['another count of partitions', topic(TOPICS.accountEvents, { partitions: [partition] }), 'partitions_differ'],
    [
      'a partition without a leader',
      topic(TOPICS.receipts, { partitions: [{ ...partition, hasLeader: false }] }),
      'leader_absent',
    ],
    [
      'unclean elections',
      topic(TOPICS.rejected, { config: { 'unclean.leader.election.enable': 'true' } }),
      'unclean_election',
    ],
  ])('with %s are a problem, with what to do', (_, changed, code) => {
    const findings = judgeTopics(topics(changed));
    expect(inShort(findings)).toEqual([`problem ${code}`]);
    expect(findings[0]?.says).toContain(changed.name);
    expect(findings[0]?.todo).toBeTruthy();
  });

  test('that are absent are each named', () => {
    expect(inShort(judgeTopics([]))).toEqual(Array(4).fill('problem topic_absent'));
  });

  test('that one broker alone holds are warned of', () => {
    const alone = topics().map(({ name }) =>
      topic(name, { partitions: [{ ...partition, replicas: 1, inSync: 1 }], config: { 'min.insync.replicas': '1' } }),
    );
    expect(inShort(judgeTopics(alone))).toEqual(['ok topics_ok', 'warning replication_low', 'warning min_insync_low']);
    const behind = topic(TOPICS.accountEvents, {
      partitions: Array.from({ length: 12 }, () => ({ ...partition, inSync: 2 })),
    });
    expect(inShort(judgeTopics(topics(behind)))).toEqual(['ok topics_ok', 'warning replicas_behind']);
  });
});

describe('ticks', () => {
  test('are fine when they come through every partition, and named where they do not', () => {
    const listened = { partitions: 3, listenedMs: 3000 };
    expect(judgeTicks({ ...listened, heard: new Set([0, 1, 2]) }).code).toBe('ticks_ok');
    const silent = judgeTicks({ ...listened, heard: new Set([0]) });
    expect(silent).toMatchObject({ code: 'ticks_absent', level: 'problem' });
    expect(silent.says).toContain('partition 1, 2');
  });
});

describe('Redis', () => {
  const server = (info: RedisFacts['info'] = {}): RedisFacts => ({
    address: '10.0.0.1:6379',
    info: {
      redis_version: '7.0.15',
      maxmemory: '0',
      maxmemory_policy: 'noeviction',
      used_memory: '1000',
      role: 'master',
      aof_enabled: '1',
      aof_last_write_status: 'ok',
      rdb_last_bgsave_status: 'ok',
      cluster_enabled: '0',
      ...info,
    },
  });

  test('is fine, alone and as a cluster', () => {
    expect(inShort(judgeRedis([server()], false))).toEqual(['ok redis_ok']);
    const ofCluster = server({ cluster_enabled: '1', cluster_state: 'ok' });
    expect(inShort(judgeRedis([ofCluster, ofCluster], true))).toEqual(['ok redis_ok']);
  });

  test.each([
    ['may drop keys', { maxmemory_policy: 'allkeys-lru' }, 'redis_evicts'],
    ['is too old', { redis_version: '6.2.7' }, 'redis_too_old'],
    ['is a replica', { role: 'slave' }, 'redis_read_only'],
    ['is of a cluster that was not named', { cluster_enabled: '1', cluster_state: 'ok' }, 'redis_cluster_url'],
    ['says its cluster is down', { cluster_state: 'fail' }, 'redis_cluster_down'],
  ])('is a problem where it %s', (_, info, code) => {
    const findings = judgeRedis([server(info)], false);
    expect(inShort(findings)).toEqual([`problem ${code}`]);
    expect(findings[0]?.todo).toBeTruthy();
  });

  test.each([
    ['keeps nothing on disk', { aof_enabled: '0' }, 'redis_not_durable'],
    ['cannot write to its disk', { rdb_last_bgsave_status: 'err' }, 'redis_save_failed'],
    ['has little room left', { maxmemory: '1100' }, 'redis_nearly_full'],
  ])('is warned of where it %s', (_, info, code) => {
    expect(inShort(judgeRedis([server(info)], false))).toEqual(['ok redis_ok', `warning ${code}`]);
  });
});

describe('clocks', () => {
  test('may differ by what sidecars allow for, ahead or behind', () => {
    expect(inShort(judgeClocks([{ of: 'Kafka', leadMs: -250 }]))).toEqual(['ok clocks_ok']);
    for (const leadMs of [251, -251]) {
      const findings = judgeClocks([
        { of: 'Redis', leadMs: 0 },
        { of: 'Kafka', leadMs },
      ]);
      expect(inShort(findings)).toEqual(['problem clock_skew']);
      expect(findings[0]?.says).toContain(leadMs > 0 ? 'Kafka is 0.25 s ahead' : 'Kafka is 0.25 s behind');
    }
  });
});

test('the exit code is of the worst finding, and what cannot be reached is worse than a problem', () => {
  const of = (...levels: Finding['level'][]) =>
    verdictOf(levels.map((level) => ({ code: 'x', part: 'kafka', level, says: '' })));
  expect([of('ok', 'warning'), of('ok', 'problem'), of('problem', 'unreachable')]).toEqual([0, 1, 3]);
});
