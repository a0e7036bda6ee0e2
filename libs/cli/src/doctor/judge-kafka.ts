import { configDifferences, TOPICS } from '@curfew/contracts';
import type { Finding } from './finding.ts';

type TopicName = (typeof TOPICS)[keyof typeof TOPICS];

/** A topic as it is. */
export interface TopicFacts {
  readonly name: TopicName;
  readonly partitions: readonly PartitionFacts[];
  readonly config: Readonly<Record<string, string | undefined>>;
}

interface PartitionFacts {
  readonly replicas: number;
  readonly inSync: number;
  readonly hasLeader: boolean;
}

/** How far ticks come: from the session service, through Kafka, to here. */
export interface TickFacts {
  readonly partitions: number;
  /** Partitions of session-versions that a tick came from while the doctor listened. */
  readonly heard: ReadonlySet<number>;
  readonly listenedMs: number;
}

const finding = (level: 'warning' | 'problem', code: string, says: string, todo: string): Finding => ({
  code,
  part: 'kafka',
  level,
  says,
  todo,
});

/** What the topics are like, those of Curfew that are there. */
export function judgeTopics(topics: readonly TopicFacts[]): Finding[] {
  const findings = [
    ...judgePresence(topics),
    ...judgePartitions(topics),
    ...topics.flatMap(judgeConfig),
    ...judgeDurability(topics),
  ];
  if (findings.some(({ level }) => level === 'problem')) return findings;
  const says = `${topics.length} topics are as Curfew needs them`;
  return [{ code: 'topics_ok', part: 'kafka', level: 'ok', says }, ...findings];
}

function judgePresence(topics: readonly TopicFacts[]): Finding[] {
  const absent = Object.values(TOPICS).filter((name) => !topics.some((topic) => topic.name === name));
  const todo = 'start the session service, which creates it; its log says what keeps it from that';
  return absent.map((name) => finding('problem', 'topic_absent', `there is no topic ${name}`, todo));
}

function judgePartitions(topics: readonly TopicFacts[]): Finding[] {
  const countOf = (wanted: TopicName) => topics.find(({ name }) => name === wanted)?.partitions.length;
  const [events, versions] = [countOf(TOPICS.accountEvents), countOf(TOPICS.sessionVersions)];
  const differ = events !== undefined && versions !== undefined && events !== versions;
  const leaderless = topics.filter(({ partitions }) => partitions.some(({ hasLeader }) => !hasLeader));
  return [
    ...(differ
      ? [
          finding(
            'problem',
            'partitions_differ',
            `${TOPICS.accountEvents} has ${events} partitions, ${TOPICS.sessionVersions} ${versions}`,
            'make the two topics anew with the same count; it can never be changed afterwards',
          ),
        ]
      : []),
    ...leaderless.map(({ name }) =>
      finding('problem', 'leader_absent', `partitions of ${name} have no leader`, 'bring their brokers back'),
    ),
  ];
}

function judgeConfig({ name, config }: TopicFacts): Finding[] {
  const set = (entry: string, value: string) =>
    `kafka-configs.sh --alter --entity-type topics --entity-name ${name} --add-config '${entry}=${value}'`;
  const differences = configDifferences(name, config).map(({ name: entry, found, needed }) =>
    finding(
      'problem',
      'topic_mismatch',
      `${name} has ${entry}=${found}, and Curfew needs ${needed}`,
      set(entry, needed.includes(',') ? `[${needed}]` : needed),
    ),
  );
  if (config['unclean.leader.election.enable'] !== 'true') return differences;
  const says = `${name} has unclean.leader.election.enable=true: acknowledged events can be lost`;
  return [...differences, finding('problem', 'unclean_election', says, set('unclean.leader.election.enable', 'false'))];
}

/** An acknowledged event outlives one broker only where two have it before it is acknowledged. */
function judgeDurability(topics: readonly TopicFacts[]): Finding[] {
  const single = topics.filter(({ partitions }) => partitions.some(({ replicas }) => replicas < 3));
  const unsure = topics.filter(({ config }) => Number(config['min.insync.replicas']) < 2);
  const behind = topics.filter(({ partitions }) => partitions.some(({ replicas, inSync }) => inSync < replicas));
  const named = (list: readonly TopicFacts[]) =>
    list.length === topics.length ? 'all topics' : list.map(({ name }) => name).join(', ');
  return [
    warning('replication_low', single, `fewer than 3 replicas: ${named(single)}`, 'in production, have 3 replicas'),
    warning(
      'min_insync_low',
      unsure,
      `min.insync.replicas below 2: ${named(unsure)}. An acknowledged event can be lost with one broker`,
      'in production, set min.insync.replicas=2',
    ),
    warning('replicas_behind', behind, `replicas are behind: ${named(behind)}`, 'see what ails their brokers'),
  ].flat();
}

const warning = (code: string, topics: readonly TopicFacts[], says: string, todo: string): Finding[] =>
  topics.length === 0 ? [] : [finding('warning', code, says, todo)];

/** Ticks that arrive prove the whole path: session service, Redis, Kafka. */
export function judgeTicks({ partitions, heard, listenedMs }: TickFacts): Finding {
  const silent = Array.from({ length: partitions }, (_, partition) => partition).filter((one) => !heard.has(one));
  if (silent.length === 0)
    return { code: 'ticks_ok', part: 'kafka', level: 'ok', says: `ticks come through all ${partitions} partitions` };
  const which = silent.length === partitions ? 'any partition' : `partition ${silent.join(', ')}`;
  return finding(
    'problem',
    'ticks_absent',
    `no tick came through ${which} in ${listenedMs / 1000} s: sidecars cannot accept by memory there`,
    'see /readyz and the log of the session services: none owns the partition, or Redis does not answer it',
  );
}
