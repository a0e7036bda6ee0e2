import type { Random } from './random.ts';

/** A process, or what else sends and receives. */
export interface Actor {
  readonly name: string;
  /** false: it crashed. Nothing is delivered to it any more; what it sent may still arrive. */
  alive: boolean;
  /** It stands still (SIGSTOP, a long collection of garbage). Nothing is delivered until it goes on. */
  paused: boolean;
}

/** What becomes of a request that was sent. */
export type Outcome = 'answered' | 'slow' | 'lost' | 'unanswered' | 'late';

export interface Call<T> {
  readonly what: string;
  /** What happens where the request arrives. It may throw. */
  readonly effect: () => T | Promise<T>;
  /** Absent: at once. */
  readonly ready?: () => boolean;
  /** What the sender is told where no answer comes; absent for what cannot fail. */
  readonly failure?: () => Error;
  /** For the trace. */
  readonly detail?: () => string;
}

interface Operation {
  readonly actor: Actor;
  readonly call: Call<unknown>;
  state: 'sent' | 'answered' | 'orphaned';
  answer: Promise<unknown> | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Virtual time begins here, ms since the epoch. */
const START_MS = 1_800_000_000_000;

/**
 * All that is under way, and the virtual clock. A fake that does I/O asks for an answer here; which request arrives, and
 * which answer is delivered, is drawn at each step. So every order of awaits is possible, and a seed gives it again.
 */
export class Scheduler {
  readonly random: Random;
  /** True time, ms since the epoch. */
  now = START_MS;
  /** How often a request does not simply arrive and get its answer, from 0 to 1. */
  trouble = 0;
  /** Hears of each thing that happens. */
  readonly trace: ((line: string) => void) | undefined;
  #operations: Operation[] = [];

  constructor(random: Random, trace?: (line: string) => void) {
    this.random = random;
    this.trace = trace;
  }

  io<T>(actor: Actor, call: Call<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#operations.push({
        actor,
        call,
        state: 'sent',
        answer: undefined,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
    });
  }

  sleep(actor: Actor, ms: number): Promise<void> {
    const due = this.now + ms;
    return this.io(actor, { what: 'wakes up', effect: () => {}, ready: () => this.now >= due });
  }

  /** Carries one operation on. @returns false where none can go on now. */
  step(): boolean {
    const ready = this.#operations.filter((operation) => isReady(operation));
    if (ready.length === 0) return false;
    this.#carryOn(this.random.pick(ready));
    return true;
  }

  /** What a crashed process had sent arrives, or not. */
  crash(actor: Actor): void {
    actor.alive = false;
    this.#operations = this.#operations.filter(
      ({ actor: owner, state, call }) =>
        owner !== actor || (state === 'sent' && call.failure && this.random.chance(0.5)),
    );
  }

  #carryOn(operation: Operation): void {
    const { call, actor } = operation;
    const outcome = this.#outcomeOf(operation);
    this.trace?.(`${actor.name} ${call.what}${call.detail ? ` ${call.detail()}` : ''}${SAID[outcome]}`);
    if (operation.state === 'sent' && outcome !== 'lost' && outcome !== 'late') operation.answer = perform(call);
    switch (outcome) {
      case 'slow':
        operation.state = 'answered';
        return;
      case 'late':
        operation.state = 'orphaned';
        operation.reject(call.failure?.());
        return;
      case 'lost':
      case 'unanswered':
        if (actor.alive) operation.reject(call.failure?.());
        break;
      case 'answered':
        if (operation.state === 'orphaned') perform(call);
        else operation.answer?.then(operation.resolve, operation.reject);
    }
    this.#operations.splice(this.#operations.indexOf(operation), 1);
  }

  #outcomeOf({ state, actor, call }: Operation): Outcome {
    if (state !== 'sent') return 'answered';
    if (!actor.alive) return 'unanswered';
    if (actor.paused) return 'slow';
    if (call.failure === undefined || !this.random.chance(this.trouble)) return 'answered';
    return this.random.pick(TROUBLES);
  }
}

const TROUBLES: readonly Outcome[] = ['slow', 'slow', 'slow', 'lost', 'unanswered', 'late'];

const SAID: Readonly<Record<Outcome, string>> = {
  answered: '',
  slow: ' (the answer waits)',
  lost: ' (the request is lost)',
  unanswered: ' (the answer is lost)',
  late: ' (times out; the request arrives later)',
};

function isReady({ state, actor, call }: Operation): boolean {
  if (state === 'answered') return actor.alive && !actor.paused;
  // What a process waits for by itself, such as a timer, needs the process.
  if (call.failure === undefined && (!actor.alive || actor.paused)) return false;
  return call.ready === undefined || call.ready();
}

function perform(call: Call<unknown>): Promise<unknown> {
  const answer = new Promise<unknown>((resolve) => resolve(call.effect()));
  answer.catch(() => {}); // It may be delivered later, or never.
  return answer;
}
