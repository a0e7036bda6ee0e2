import type { Sidecar } from './fleet.ts';
import { leaseUntil, outcomeOf } from './outcome.ts';
import type { Outcome, Revocation } from './revocation.ts';

/** What is known of a revocation, and of what became of it everywhere. */
export interface Report {
  readonly revocation: Revocation;
  readonly outcomes: readonly Outcome[];
  /** No sidecar that counts accepts what has ended; with none, no service can after the bound. */
  readonly effective: boolean;
  /** Since when, ms since the epoch. */
  readonly effectiveAt?: number;
}

/** A revocation and what becomes of it, until nothing that a sidecar says can change that. */
export class OpenRevocation {
  readonly revocation: Revocation;
  readonly #boundMs: number;
  readonly #outcomes = new Map<Sidecar, Outcome>();
  readonly #settled = Promise.withResolvers<void>();
  #effective = false;

  /** @param boundMs of services that say nothing of themselves. */
  constructor(revocation: Revocation, boundMs: number) {
    this.revocation = revocation;
    this.#boundMs = boundMs;
    this.#effective = revocation.outcomes !== undefined;
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
    return this.#effective && this.#told().every(({ by }) => by === 'receipt');
  }

  /**
   * Looks at a sidecar that said something, or that time passed for. What is effective stays so: a sidecar that is heard
   * of only then does not count.
   *
   * @returns whether that made a difference.
   */
  consider(sidecar: Sidecar, now: number): boolean {
    const before = this.#outcomes.get(sidecar);
    if (before?.by === 'receipt' || (before === undefined && this.#effective)) return false;
    const outcome = outcomeOf(this.revocation, sidecar, now);
    if (outcome === undefined) return this.#outcomes.delete(sidecar);
    this.#outcomes.set(sidecar, outcome);
    return outcome.by !== before?.by || outcome.appliedAt !== before?.appliedAt;
  }

  /** @returns true where it has become effective by now. */
  settle(now: number): boolean {
    if (this.#effective || !reportOf(this.revocation, this.#told(), this.#boundMs, now).effective) return false;
    this.#effective = true;
    this.#settled.resolve();
    return true;
  }

  giveUp(): void {
    this.#settled.resolve();
  }

  /** When it becomes effective at the latest if no sidecar says anything any more, ms since the epoch. */
  dueAt(): number {
    const { at, announcedAt } = this.revocation;
    const leases = [...this.#outcomes].flatMap(([sidecar, { by }]) =>
      by === 'pending' ? [Math.max(leaseUntil(sidecar), Math.max(at, announcedAt) + sidecar.last.boundMs)] : [],
    );
    return leases.length === 0 ? Math.max(at, announcedAt) + this.#boundMs : Math.max(...leases);
  }

  report(now: number): Report {
    return reportOf(this.revocation, this.#told(), this.#boundMs, now);
  }

  #told(): readonly Outcome[] {
    return this.revocation.outcomes ?? [...this.#outcomes.values()];
  }
}

function reportOf(revocation: Revocation, outcomes: readonly Outcome[], boundMs: number, now: number): Report {
  const guaranteedAt = Math.max(revocation.at, revocation.announcedAt) + boundMs;
  const effective =
    outcomes.length === 0 ? guaranteedAt <= now : outcomes.every(({ effectiveAt }) => effectiveAt !== undefined);
  if (!effective) return { revocation, outcomes, effective };
  const times = outcomes.map(({ effectiveAt = guaranteedAt }) => effectiveAt);
  return { revocation, outcomes, effective, effectiveAt: times.length === 0 ? guaranteedAt : Math.max(...times) };
}
