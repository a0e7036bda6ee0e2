import { setTimeout as sleep } from 'node:timers/promises';
import { FAULTS, type FaultKind } from './faults.ts';
import type { Random } from './random.ts';
import type { Recorder } from './recorder.ts';
import type { World } from './world.ts';

/** Faults that are under way at once, at most. */
const MAX_AT_ONCE = 3;
const PAUSE_MS = [800, 4200] as const;

/** Draws faults from a seed, and lets them happen, until the signal comes; then it makes good what is still broken. */
export class Nemesis {
  readonly #world: World;
  readonly #recorder: Recorder;
  readonly #random: Random;
  readonly #signal: AbortSignal;
  readonly #kinds: readonly FaultKind[];
  readonly #underWay = new Map<string, Promise<void>>();
  #lossEpoch = 0;
  #isLosing = false;
  /** Faults that could not be made good, in words. */
  readonly failures: string[] = [];

  /** @param only kinds of faults; default: all. */
  constructor(world: World, recorder: Recorder, random: Random, signal: AbortSignal, only?: readonly string[]) {
    this.#kinds = only === undefined ? FAULTS : FAULTS.filter(({ kind }) => only.includes(kind));
    this.#world = world;
    this.#recorder = recorder;
    this.#random = random;
    this.#signal = signal;
  }

  /** Between two equal readings Redis has lost nothing; undefined while it may lose something. */
  get lossEpoch(): number | undefined {
    return this.#isLosing ? undefined : this.#lossEpoch;
  }

  /** Names of what is broken now. */
  get underWay(): readonly string[] {
    return [...this.#underWay.keys()];
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      const fault = this.#random.weighted(this.#kinds);
      const target = this.#random.pick(fault.targets(this.#world));
      const lastsMs = this.#random.between(...fault.lastsMs);
      if (this.#underWay.size < MAX_AT_ONCE && !this.#isTaken(target)) {
        const inflicted = this.#inflict(fault, target, lastsMs).finally(() => this.#underWay.delete(target));
        this.#underWay.set(target, inflicted);
      }
      await sleep(this.#random.between(...PAUSE_MS), undefined, { signal: this.#signal }).catch(() => {});
    }
    await Promise.all(this.#underWay.values());
  }

  /** Two brokers of three hold every record: no third fault may meet them. */
  #isTaken(target: string): boolean {
    const isBroker = (name: string) => name.startsWith('kafka-') || name === 'all brokers';
    return this.#underWay.has(target) || (isBroker(target) && this.underWay.some(isBroker));
  }

  async #inflict({ kind, loses, inflict }: FaultKind, target: string, lastsMs: number): Promise<void> {
    const from = Date.now();
    const last = () => sleep(lastsMs, undefined, { signal: this.#signal }).catch(() => {});
    const lose = () => {
      if (!loses) return;
      this.#lossEpoch++;
      this.#isLosing = !this.#isLosing;
      this.#recorder.losses.push(Date.now());
    };
    lose();
    try {
      await inflict(this.#world, target, last, this.#random);
    } catch (error) {
      this.failures.push(`${kind} (${target}): ${error}`);
    }
    lose();
    this.#recorder.faults.push({ kind, target, from, to: Date.now() });
  }
}
