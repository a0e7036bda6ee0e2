import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedMember } from './members.ts';
import type { Random } from './random.ts';
import type { LinkState, TcpLink } from './tcp-link.ts';
import { pause, resume, type Victim } from './victim.ts';
import type { World } from './world.ts';

/** A kind of fault, and what it does to one target for a while. */
export interface FaultKind {
  readonly kind: string;
  readonly weight: number;
  /** How long it lasts, ms, from and to. */
  readonly lastsMs: readonly [number, number];
  /** Names of what it can happen to. No two faults happen to one target at once. */
  targets(world: World): readonly string[];
  /** Redis loses writes by it. */
  readonly loses?: true;
  /** Lets it happen, waits, and makes it good. */
  inflict(world: World, target: string, last: () => Promise<void>, random: Random): Promise<void>;
}

const brokers = ({ kafka }: World): readonly string[] => kafka.brokers.map(({ name }) => name);
const sessionServices = (world: World): readonly string[] => world.sessionServices.map(({ name }) => name);
const members = (world: World): readonly string[] => world.members.map(({ name }) => name);
const redis = (): readonly string[] => ['redis'];

function victimOf(world: World, name: string): Victim {
  const all: readonly Victim[] = [...world.kafka.brokers, ...world.sessionServices, ...world.members];
  const found = all.find((victim) => victim.name === name);
  if (found === undefined) throw new Error(`nothing is called ${name}`);
  return found;
}

const killed = (targets: FaultKind['targets'], kind: string, weight: number, lastsMs: [number, number]): FaultKind => ({
  kind: `${kind} killed`,
  weight,
  lastsMs,
  targets,
  inflict: async (world, target, last) => {
    await victimOf(world, target).kill();
    await last();
    await victimOf(world, target).restart();
  },
});

const paused = (targets: FaultKind['targets'], kind: string, weight: number, lastsMs: [number, number]): FaultKind => ({
  kind: `${kind} paused`,
  weight,
  lastsMs,
  targets,
  inflict: async (world, target, last) => {
    pause(victimOf(world, target));
    await last();
    resume(victimOf(world, target));
  },
});

function link(to: 'kafka' | 'redis', how: string, state: (random: Random) => LinkState, weight: number): FaultKind {
  return {
    kind: `link to ${to === 'kafka' ? 'Kafka' : 'Redis'} ${how}`,
    weight,
    lastsMs: [500, 6000],
    targets: (world) => [...sessionServices(world), ...members(world)].map((name) => `${name} → ${to}`),
    inflict: async (world, target, last, random) => {
      const links = world.links.get(target.split(' ')[0] ?? '');
      const ways: readonly (TcpLink | undefined)[] = to === 'kafka' ? (links?.kafka ?? []) : [links?.redis];
      const drawn = state(random);
      for (const way of ways) way?.turn(drawn);
      await last();
      for (const way of ways) way?.turn('open');
    },
  };
}

const redirect = ({ links }: World): void => {
  for (const { redis } of links.values()) redis.reset();
};

/** All that can go wrong, and how often. */
export const FAULTS: readonly FaultKind[] = [
  killed(brokers, 'broker', 2, [500, 4000]),
  paused(brokers, 'broker', 3, [500, 5000]),
  {
    kind: 'two brokers paused',
    weight: 2,
    lastsMs: [500, 5000],
    targets: () => ['all brokers'],
    inflict: async ({ kafka }, _target, last, random) => {
      const spared = random.pick(kafka.brokers);
      const stopped = kafka.brokers.filter((broker) => broker !== spared);
      stopped.forEach(pause);
      await last();
      stopped.forEach(resume);
    },
  },
  killed(sessionServices, 'session service', 3, [200, 4000]),
  paused(sessionServices, 'session service', 4, [500, 13_000]),
  killed(members, 'sidecar', 2, [200, 3000]),
  paused(members, 'sidecar', 3, [500, 5000]),
  {
    kind: 'clock skewed',
    weight: 2,
    lastsMs: [100, 500],
    targets: (world) => members(world).filter((name) => victimOf(world, name) instanceof EmbeddedMember),
    inflict: async (world, target, last, random) => {
      const member = victimOf(world, target);
      if (member instanceof EmbeddedMember) member.skewMs = random.between(-world.maxClockSkewMs, world.maxClockSkewMs);
      await member.kill();
      await last();
      await member.restart();
    },
  },
  link('kafka', 'cut', () => 'cut', 3),
  link('kafka', 'silent', () => 'silent', 6),
  link('kafka', 'slow', (random) => ({ slowMs: random.between(50, 600) }), 3),
  link('redis', 'cut', () => 'cut', 2),
  link('redis', 'silent', () => 'silent', 3),
  link('redis', 'slow', (random) => ({ slowMs: random.between(20, 300) }), 2),
  {
    kind: 'Redis paused',
    weight: 2,
    lastsMs: [500, 4000],
    targets: redis,
    inflict: async (world, _target, last) => {
      const primary = { ...world.redis.primary, name: 'redis', kill: async () => {}, restart: async () => {} };
      pause(primary);
      await last();
      resume(primary);
    },
  },
  {
    kind: 'Redis asleep',
    weight: 1,
    lastsMs: [500, 3000],
    targets: redis,
    inflict: async (world, _target, last, random) => {
      world.redis.primary.client.call('DEBUG', 'SLEEP', `${random.between(500, 3000) / 1000}`).catch(() => {});
      await last();
    },
  },
  {
    kind: 'Redis failed over',
    weight: 4,
    lastsMs: [300, 2500],
    targets: redis,
    loses: true,
    inflict: async (world, _target, last) => {
      world.redis.holdReplication();
      await last();
      await world.redis.failOver(() => redirect(world));
    },
  },
  {
    kind: 'Redis emptied',
    weight: 2,
    lastsMs: [100, 200],
    targets: redis,
    loses: true,
    inflict: async (world, _target, last) => {
      await world.redis.primary.client.flushall();
      await last();
    },
  },
  {
    kind: 'Redis killed',
    weight: 1,
    lastsMs: [200, 2000],
    targets: redis,
    loses: true,
    inflict: async (world, _target, last) => {
      await world.redis.loseAll(last);
      await sleep(100);
    },
  },
];
