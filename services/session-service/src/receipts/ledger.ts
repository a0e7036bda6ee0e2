import type { Revocation } from './revocation.ts';

/** The revocations of the last day, and for a while what ended nothing, for whichever instance is asked. All methods throw CurfewError `store_unavailable`. */
export interface Ledger {
  /** Keeps revocations that are announced. One that is there already stays as it is: it may have been announced again. */
  add(revocations: readonly Revocation[]): Promise<void>;
  /** Keeps what became of it, unless more sidecars have said so in what is kept. */
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
