import { leaseUntil, type Sidecar } from './fleet.ts';
import { leftUntold, outcomeOf } from './outcome.ts';
import type { Outcome, Revocation } from './revocation.ts';

/** What is known of a revocation, and of what became of it everywhere. */
export interface Report {
  readonly revocation: Revocation;
  readonly outcomes: readonly Outcome[];
  /** No sidecar that counts accepts what has ended; with none, no service can after the bound. At once where nothing has. */
  readonly effective: boolean;
  /** Since when, ms since the epoch. */
  readonly effectiveAt?: number;
}

/** A revocation and what becomes of it, until nothing that a sidecar says can change that. */
export class OpenRevocation {
  readonly revocation: Revocation;
  /** How many wait for it now. */
  waiting = 0;
  readonly #boundMs: number;
  readonly #outcomes = new Map<Sidecar, Outcome>();
  readonly #pending = new Set<Sidecar>();
  readonly #settled = Promise.withResolvers<void>();
  #effective = false;
  #isLeast = false;

  /** @param boundMs of services that say nothing of themselves. */
  constructor(revocation: Revocation, boundMs: number) {
    this.revocation = revocation;
    this.#boundMs = boundMs;
    this.#effective = revocation.outcomes !== undefined || revocation.scopes.length === 0;
    if (this.#effective) this.#settled.resolve();
  }

  /** Resolves once it is effective, or given up. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  get effective(): boolean {
    return this.#effective;
  }

  /** Nothing that any sidecar says changes it any more: none has yet to tell what it let through. */
  get isOver(): boolean {
    return this.#effective && this.#told().every(({ exposed }) => exposed !== undefined);
  }

  /**
   * Looks at a sidecar that said something, or that time passed for. What is effective stays so: a sidecar that is heard
   * of only then does not count.
   *
   * @returns whether that made a difference.
   */
  consider(sidecar: Sidecar, now: number): boolean {
    const before = this.#outcomes.get(sidecar);
    if (before?.exposed !== undefined || (before === undefined && this.#effective)) return false;
    const outcome = outcomeOf(this.revocation, sidecar, now);
    // What it let through is all that it can add.
    if (before?.by === 'receipt' && outcome?.exposed === undefined) return false;
    if (outcome?.by === 'pending') this.#pending.add(sidecar);
    else this.#pending.delete(sidecar);
    if (leftUntold(this.revocation, sidecar)) this.#isLeast = true;
    if (outcome === undefined) return this.#outcomes.delete(sidecar);
    this.#outcomes.set(sidecar, outcome);
    return outcome.by !== before?.by || outcome.exposed !== before?.exposed;
  }

  /** @returns true where it has become effective by now. */
  settle(now: number): boolean {
    if (this.#effective || this.#pending.size > 0) return false;
    if (this.#outcomes.size === 0 && this.#guaranteedAt(this.#boundMs) > now) return false;
    this.#effective = true;
    this.#settled.resolve();
    return true;
  }

  giveUp(): void {
    this.#settled.resolve();
  }

  /** When time alone may next make a difference, ms since the epoch. */
  dueAt(): number {
    if (this.#outcomes.size === 0) return this.#guaranteedAt(this.#boundMs);
    let due = Number.POSITIVE_INFINITY;
    for (const sidecar of this.#pending)
      due = Math.min(due, Math.max(leaseUntil(sidecar), this.#guaranteedAt(sidecar.last.boundMs)));
    return due;
  }

  report(): Report {
    const revocation = this.#isLeast ? { ...this.revocation, atLeast: true as const } : this.revocation;
    const outcomes = this.#told();
    if (!this.#effective) return { revocation, outcomes, effective: false };
    const times = outcomes.map(({ effectiveAt = revocation.at }) => effectiveAt);
    if (times.length === 0)
      times.push(revocation.scopes.length === 0 ? revocation.at : this.#guaranteedAt(this.#boundMs));
    return { revocation, outcomes, effective: true, effectiveAt: Math.max(...times) };
  }

  /** Since when whoever has this bound accepts nothing of before, by either clock, ms since the epoch. */
  #guaranteedAt(boundMs: number): number {
    return Math.max(this.revocation.at, this.revocation.announcedAt) + boundMs;
  }

  #told(): readonly Outcome[] {
    return this.revocation.outcomes ?? [...this.#outcomes.values()];
  }
}
