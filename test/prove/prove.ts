import { setTimeout as sleep } from 'node:timers/promises';
import { REALM_SCOPE, subjectScope } from '@curfew/contracts';
import type { Decision, History } from './history.ts';
import { readLogs } from './kafka-logs.ts';
import { Load, subjectsIn } from './load.ts';
import { Nemesis } from './nemesis.ts';
import { createRandom } from './random.ts';
import { Recorder } from './recorder.ts';
import { storedVersions, watchVersions } from './redis-watch.ts';
import { startWorld, type World } from './world.ts';

export interface ProveOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly small: boolean;
  /** The services are told no bound worth the name. */
  readonly withoutTicks: boolean;
  /** Kinds of faults that may happen; default: all. */
  readonly only?: readonly string[] | undefined;
  readonly directory: string;
  /** Hears how the run goes on, a few times a second. */
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export interface Progress {
  readonly phase: 'starting' | 'under faults' | 'recovering' | 'checking';
  readonly elapsedMs: number;
  readonly faults: number;
  readonly decisions: number;
  readonly events: number;
  readonly broken: readonly string[];
}

/** The product's own defaults. */
const BOUND_MS = 2000;
const MAX_CLOCK_SKEW_MS = 250;
const DAY_MS = 86_400_000;
/** Per embedded sidecar and second: 200,000 decisions in three minutes, with four of them and room to spare. */
const DECISIONS_PER_SECOND = 400;
const CALM_MS = 4000;
const PROGRESS_MS = 500;
const RECOVERY_PATIENCE_MS = 60_000;
const SETTLE_MS = 3000;
/** Tokens that every sidecar is asked about at the end. */
const JUDGED_TOKENS = 480;
const JUDGED_AT_ONCE = 24;

/** Runs the stack under load and faults, and tells all that happened. */
export async function prove(options: ProveOptions): Promise<History & { readonly failures: readonly string[] }> {
  const { minutes, seed, small, withoutTicks, directory, onProgress, signal } = options;
  const recorder = new Recorder();
  const faultsEnd = new AbortController();
  const loadEnd = new AbortController();
  const progress = { phase: 'starting' as Progress['phase'], broken: (): readonly string[] => [] };
  const began = Date.now();
  const timer = setInterval(() => {
    onProgress({
      phase: progress.phase,
      elapsedMs: Date.now() - began,
      faults: recorder.faults.length,
      decisions: recorder.decisions.length,
      events: recorder.publications.length,
      broken: progress.broken(),
    });
  }, PROGRESS_MS);

  const world = await startWorld({
    directory,
    seed,
    embedded: small ? 2 : 4,
    storefronts: small ? 1 : 2,
    maxViewAgeMs: withoutTicks ? DAY_MS : BOUND_MS,
    maxClockSkewMs: MAX_CLOCK_SKEW_MS,
    decisionsPerSecond: DECISIONS_PER_SECOND,
    onDecisions: (decisions) => recorder.decisions.push(...decisions),
    signal,
  }).catch((error) => {
    clearInterval(timer);
    throw error;
  });
  try {
    recorder.onGrant = (token, accessToken) => {
      for (const member of world.members) member.give(token, accessToken);
    };
    const load = new Load(world, recorder, createRandom(seed), loadEnd.signal);
    const nemesis = new Nemesis(world, recorder, createRandom(seed + 1), faultsEnd.signal, options.only);
    progress.broken = () => nemesis.underWay;
    const watching = watchVersions([...subjectsIn(world.partitions).map(subjectScope), REALM_SCOPE], {
      partitions: world.partitions,
      client: () => world.redis.primary.client,
      epoch: () => nemesis.lossEpoch,
      signal: loadEnd.signal,
    });
    const from = Date.now();
    const loading = load.run();
    await sleep(CALM_MS, undefined, { signal });
    progress.phase = 'under faults';
    const broken = nemesis.run();
    await sleep(minutes * 60_000, undefined, { signal });
    faultsEnd.abort();
    await broken;

    progress.phase = 'recovering';
    const recoveryMs = await recovered(world, load, signal);
    await sleep(CALM_MS, undefined, { signal });
    loadEnd.abort();
    await loading;
    const to = Date.now();
    for (const member of world.members) member.rest();
    await sleep(SETTLE_MS, undefined, { signal });

    progress.phase = 'checking';
    const verdicts = await judge(world, spread(recorder.grants.length));
    const { grants, publications, decisions, faults, losses } = recorder;
    return {
      from,
      to,
      boundMs: BOUND_MS,
      grants,
      publications,
      decisions,
      faults,
      losses,
      falls: await watching,
      ...(await readLogs(world.brokers)),
      stored: await storedVersions(world.redis.primary.client),
      verdicts,
      recoveryMs,
      failures: nemesis.failures,
    };
  } finally {
    clearInterval(timer);
    faultsEnd.abort();
    loadEnd.abort();
    await world.stop();
  }
}

/** Time until every sidecar accepts a new session in every partition, ms; undefined: that takes too long to wait for. */
async function recovered(world: World, load: Load, signal: AbortSignal): Promise<number | undefined> {
  const began = Date.now();
  for (let round = 0; Date.now() - began < RECOVERY_PATIENCE_MS; round++) {
    signal.throwIfAborted();
    const subjects = subjectsIn(world.partitions, 1, `calm-${round}`);
    const held = await Promise.all(subjects.map((subject) => load.signIn(subject)));
    const tokens = held.flatMap((session) => (session === undefined ? [] : [session.token]));
    const verdicts = tokens.length < subjects.length ? [] : await judge(world, tokens);
    if (
      verdicts.filter(({ outcome }) => outcome === 'accepted').length === tokens.length * world.members.length &&
      verdicts.length > 0
    )
      return Date.now() - began;
    await sleep(250, undefined, { signal });
  }
  return undefined;
}

async function judge({ members }: World, tokens: readonly number[]): Promise<Decision[]> {
  const judged: Decision[] = [];
  for (let first = 0; first < tokens.length; first += JUDGED_AT_ONCE) {
    const some = tokens.slice(first, first + JUDGED_AT_ONCE);
    judged.push(...(await Promise.all(members.map((member) => member.judge(some)))).flat());
  }
  return judged;
}

/** The newest tokens, and others from all of the run. */
function spread(tokens: number): number[] {
  const every = Math.max(1, Math.ceil(tokens / JUDGED_TOKENS));
  return Array.from({ length: tokens }, (_, token) => token).filter(
    (token) => token % every === 0 || token >= tokens - JUDGED_TOKENS / 4,
  );
}
