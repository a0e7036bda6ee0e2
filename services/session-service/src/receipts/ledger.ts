import { isSameEvent, type Revocation } from './revocation.ts';

/**
 * The revocations of the last day, the canaries of the last hour, and for a while what ended nothing, for whichever instance
 * is asked. All methods throw CurfewError `store_unavailable`.
 */
export interface Ledger {
  /**
   * Keeps revocations that are announced. One that is there already stays as it is: it may have been announced again. Another
   * event of the same name gives way.
   *
   * @returns the ids of those that are kept with what became of them.
   */
  add(revocations: readonly Revocation[]): Promise<ReadonlySet<string>>;
  /** Keeps what became of it, unless as much was said in what is kept, or that is another event. */
  settle(revocation: Revocation): Promise<void>;
  read(id: string): Promise<Revocation | undefined>;
  /** The newest of those that are kept and changed versions, newest first. */
  newest(wanted: Wanted): Promise<Found>;
}

export interface Found {
  readonly revocations: readonly Revocation[];
  /** There may be more of them, older ones than are indexed: they are told of by their ids alone. */
  readonly isTruncated: boolean;
}

export interface Wanted {
  readonly limit: number;
  readonly canaries: boolean;
  /** Acknowledged after it, ms since the epoch. */
  readonly since: number;
  /** Scopes of which it names one; empty: whatever it names. */
  readonly scopes: readonly string[];
}

export const isWanted = ({ scopes }: Revocation, wanted: Wanted): boolean =>
  wanted.scopes.length === 0 || scopes.some((scope) => wanted.scopes.includes(scope));

/** Whether what became of a revocation is more than is kept of it: it may be told again, by one who knows less of then. */
export const isNews = (revocation: Revocation, kept: Revocation): boolean =>
  isSameEvent(revocation, kept) && (kept.outcomes === undefined || saidOf(revocation) > saidOf(kept));

/** How much sidecars said of it: that they have applied it, and what they let through. */
const saidOf = ({ outcomes = [] }: Revocation): number =>
  outcomes.filter(({ by }) => by === 'receipt').length + outcomes.filter(({ exposed }) => exposed !== undefined).length;
