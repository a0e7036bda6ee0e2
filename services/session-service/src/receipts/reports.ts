import type { Fleet, HeardReceipt } from './fleet.ts';
import type { Found, Ledger, Wanted } from './ledger.ts';
import { OpenRevocation, type Report } from './open-revocation.ts';
import { isSameEvent, type Revocation } from './revocation.ts';

export interface ReportsOptions {
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  /** The bound of services that say nothing of themselves, ms. */
  readonly boundMs: number;
  /** Clock, ms since the epoch. */
  readonly now: () => number;
  /** false: not all of the receipts are read that were written up to now, so that a silence means nothing. */
  readonly isComplete: () => boolean;
  /** Hears of each revocation announced here that has become effective. */
  readonly onEffective: (report: Report) => void;
  readonly warn: (message: string, error: unknown) => void;
}

/** Longest id that anybody can ask for. */
const MAX_ID_LENGTH = 256;
/**
 * Most revocations that receipts are joined with at a time, but for those that somebody waits for; what becomes of older
 * ones is told when it is asked for.
 */
const MAX_OPEN = 1000;
/** How long a sidecar may take to tell what it let through, ms. */
const OPEN_FOR_MS = 5 * 60_000;
/** Between two looks for what another instance may have announced meanwhile, ms. */
const LOOK_INTERVAL_MS = 100;
/** Longest time between two looks, ms: a timer of more than 24 days would not wait at all, and brokers date what they like. */
const LOOK_WITHIN_MS = 60_000;

/** Joins what was announced with what sidecars say of it, and tells since when a revocation is effective. */
export class Reports {
  readonly #options: ReportsOptions;
  /** By id, in the order of their announcements. */
  readonly #open = new Map<string, OpenRevocation>();
  readonly #timers = new Map<OpenRevocation, NodeJS.Timeout>();
  readonly #announcedHere = new Set<OpenRevocation>();
  /** What was announced last is in the ledger, or cannot be. */
  #added: Promise<void> = Promise.resolve();
  /** Resolves with the ids that are announced next. */
  #announcement = Promise.withResolvers<ReadonlySet<string>>();
  readonly #stop = Promise.withResolvers<undefined>();
  #stopped = false;

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /** Takes in what the pipeline has announced. It holds nothing up, and what cannot be kept is only not told of later. */
  announced(events: readonly Revocation[]): void {
    const { ledger, warn } = this.#options;
    const revocations = events.filter(({ id }) => id.length <= MAX_ID_LENGTH);
    const begun: OpenRevocation[] = [];
    for (const revocation of revocations) {
      const known = this.#open.get(revocation.id);
      if (known !== undefined && isSameEvent(known.revocation, revocation)) continue;
      // Another event of the same name.
      if (known !== undefined) this.#end(known);
      const open = this.#begin(revocation);
      begun.push(open);
      this.#announcedHere.add(open);
    }
    this.#added = ledger
      .add(revocations)
      .catch((error) => {
        warn('revocations are not kept in the ledger', error);
        return new Set<string>();
      })
      .then((over) => this.#go(begun, over));
    this.#announcement.resolve(new Set(revocations.map(({ id }) => id)));
    this.#announcement = Promise.withResolvers();
  }

  /** Takes in what a sidecar says. */
  heard(receipt: HeardReceipt): void {
    const sidecar = this.#options.fleet.hear(receipt);
    const now = this.#options.now();
    for (const open of this.#open.values()) if (open.consider(sidecar, now)) this.#advance(open);
  }

  /** @throws CurfewError `store_unavailable` */
  async report(id: string): Promise<Report | undefined> {
    return (await this.#find(id))?.report();
  }

  /**
   * Waits until a revocation is effective.
   *
   * @param limits how long at the most, and how long for an event that is not announced yet, ms.
   * @returns its report, effective or not; undefined where nothing is known of it by then.
   * @throws CurfewError `store_unavailable`
   */
  async whenEffective(id: string, limits: { limitMs: number; announcedWithinMs: number }): Promise<Report | undefined> {
    const { now } = this.#options;
    const began = now();
    let lookAt = began + LOOK_INTERVAL_MS;
    let found = await this.#find(id);
    while (found === undefined && !this.#stopped && now() - began < limits.announcedWithinMs) {
      const announced = await this.#within(lookAt - now(), this.#announcement.promise);
      // What is announced here wakes everybody up. The ledger is asked for one's own, and else now and then.
      if (now() < lookAt && !announced?.has(id)) continue;
      lookAt = now() + LOOK_INTERVAL_MS;
      found = await this.#find(id);
    }
    while (found !== undefined) {
      found.waiting++;
      await this.#within(began + limits.limitMs - now(), found.settled);
      found.waiting--;
      if (found.effective || this.#stopped || now() - began >= limits.limitMs) break;
      // Given up for another event of the same name, or for what the ledger has of it.
      found = await this.#find(id);
    }
    return found?.report();
  }

  /** @throws CurfewError `store_unavailable` */
  async list(wanted: Wanted): Promise<{ readonly reports: Report[] } & Pick<Found, 'isTruncated'>> {
    const { revocations, isTruncated } = await this.#options.ledger.newest(wanted);
    return { reports: revocations.map((revocation) => this.#take(revocation).report()), isTruncated };
  }

  /** Whoever waits is answered. */
  close(): void {
    this.#stopped = true;
    this.#stop.resolve(undefined);
    for (const open of this.#open.values()) this.#end(open);
  }

  async #find(id: string): Promise<OpenRevocation | undefined> {
    const open = this.#open.get(id);
    if (open !== undefined && this.#announcedHere.has(open)) return open;
    const revocation = await this.#options.ledger.read(id);
    return revocation && this.#take(revocation);
  }

  /** What the ledger has of a revocation, joined with what was said since. */
  #take(revocation: Revocation): OpenRevocation {
    if (revocation.outcomes !== undefined) return new OpenRevocation(revocation, this.#options.boundMs);
    const known = this.#open.get(revocation.id);
    if (known !== undefined && (isSameEvent(known.revocation, revocation) || this.#announcedHere.has(known)))
      return known;
    if (known !== undefined) this.#end(known);
    const open = this.#begin(revocation);
    this.#advance(open);
    return open;
  }

  #begin(revocation: Revocation): OpenRevocation {
    const { fleet, boundMs, now } = this.#options;
    for (const open of this.#open.values()) {
      if (this.#open.size < MAX_OPEN && open.revocation.at > now() - OPEN_FOR_MS) break;
      if (open.waiting === 0) this.#end(open);
    }
    const open = new OpenRevocation(revocation, boundMs);
    this.#open.set(revocation.id, open);
    for (const sidecar of fleet.sidecars(now())) open.consider(sidecar, now());
    return open;
  }

  #end(open: OpenRevocation): void {
    if (this.#open.get(open.revocation.id) === open) this.#open.delete(open.revocation.id);
    this.#announcedHere.delete(open);
    clearTimeout(this.#timers.get(open));
    this.#timers.delete(open);
    open.giveUp();
  }

  /** @param over ids of those that were announced before, and all is known of. */
  #go(begun: readonly OpenRevocation[], over: ReadonlySet<string>): void {
    for (const open of begun)
      if (over.has(open.revocation.id)) this.#end(open);
      else if (this.#open.get(open.revocation.id) === open) this.#advance(open);
  }

  #lookAgain(open: OpenRevocation): void {
    const { fleet, now, isComplete } = this.#options;
    this.#timers.delete(open);
    if (isComplete()) for (const sidecar of fleet.sidecars(now())) open.consider(sidecar, now());
    this.#advance(open);
  }

  #advance(open: OpenRevocation): void {
    const { ledger, now, isComplete, onEffective, warn } = this.#options;
    const isKnown = isComplete();
    const settles = isKnown && open.settle(now());
    if (open.effective) {
      const report = open.report();
      const settled = { ...report.revocation, outcomes: report.outcomes };
      this.#added
        .then(() => ledger.settle(settled))
        .catch((error) => warn('what became of a revocation is not kept in the ledger', error));
      if (settles && this.#announcedHere.has(open)) onEffective(report);
    }
    if (open.isOver) this.#end(open);
    // Time alone can make it effective. What is said meanwhile only puts that off, so that one look follows another.
    else if (!open.effective && !this.#timers.has(open)) {
      const inMs = isKnown ? Math.min(Math.max(1, open.dueAt() - now()), LOOK_WITHIN_MS) : LOOK_INTERVAL_MS;
      this.#timers.set(open, setTimeout(() => this.#lookAgain(open), inMs).unref());
    }
  }

  async #within<T>(limitMs: number, event: Promise<T>): Promise<T | undefined> {
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), limitMs);
    const first = await Promise.race([event, late.promise, this.#stop.promise]);
    clearTimeout(timer);
    return first;
  }
}
