import type { AppliedEvent, Receipt } from '@curfew/contracts';
import type { SidecarState } from './revocation.ts';

/** A time in which a sidecar said nothing, as long as its bound or longer. */
interface Silence {
  readonly from: number;
  readonly to: number;
}

/** A receipt as it was read. */
export interface HeardReceipt extends Receipt {
  /** When the broker took it in, ms since the epoch: its own clock may be any. */
  readonly heardAt: number;
}

/** One life of a sidecar, and what it has said in it. Times in ms since the epoch, by the broker's clock. */
export interface Sidecar {
  /** How far its own clock is behind the broker's, ms: as the receipt tells that was on its way for the shortest time. */
  readonly behindMs: number;
  readonly last: HeardReceipt;
  /** By the event's id. */
  readonly applied: ReadonlyMap<string, AppliedEvent>;
  /** Those that have ended, in order. */
  readonly silences: readonly Silence[];
}

interface Heard extends Sidecar {
  behindMs: number;
  last: HeardReceipt;
  readonly applied: Map<string, AppliedEvent>;
  readonly silences: Silence[];
}

/** So long after its last word a sidecar is listed, ms. */
const LISTED_FOR_MS = 60_000;
/** So long after its lease has run out a sidecar counts, ms: it may only be kept from writing. */
export const REMEMBER_MS = 10 * 60_000;
/** As many as the ledger lists. */
const MAX_APPLIED = 1000;
const MAX_SILENCES = 16;

/**
 * The sidecars, by what they said of themselves. Receipts of different sidecars may come in any order, and one may come
 * twice.
 */
export class Fleet {
  readonly #sidecars = new Map<string, Heard>();

  /** @returns the sidecar that said it: always the same one. */
  hear(receipt: HeardReceipt): Sidecar {
    // A process that was started anew under the same name is another sidecar: the one before may have left things open.
    const key = `${receipt.startedAt} ${receipt.instance}`;
    const known = this.#sidecars.get(key);
    const { heardAt, at } = receipt;
    const sidecar: Heard = known ?? { behindMs: heardAt - at, last: receipt, applied: new Map(), silences: [] };
    if (known === undefined) this.#sidecars.set(key, sidecar);
    const { last, applied, silences } = sidecar;
    sidecar.behindMs = Math.min(sidecar.behindMs, heardAt - at);
    if (heardAt >= last.heardAt) {
      if (heardAt - last.heardAt >= last.boundMs) silences.push({ from: last.heardAt, to: heardAt });
      if (silences.length > MAX_SILENCES) silences.shift();
      sidecar.last = receipt;
    }
    for (const event of receipt.applied) keepApplied(applied, event);
    return sidecar;
  }

  /** Those that are remembered. */
  sidecars(now: number): readonly Sidecar[] {
    for (const [key, sidecar] of this.#sidecars)
      if (leaseUntil(sidecar) < now - REMEMBER_MS) this.#sidecars.delete(key);
    return [...this.#sidecars.values()];
  }

  /** Those that have said something lately. */
  present(now: number): readonly Sidecar[] {
    return this.sidecars(now).filter(({ last }) => last.heardAt > now - LISTED_FOR_MS);
  }
}

/** Until when a sidecar may go on accepting by what it knew before, unless it says more, ms since the epoch. */
export const leaseUntil = ({ last }: Sidecar): number => last.heardAt + last.boundMs;

export const stateOf = (sidecar: Sidecar, now: number): SidecarState =>
  sidecar.last.state !== 'closed' && now >= leaseUntil(sidecar) ? 'silent' : sidecar.last.state;

/** An event of several scopes is applied with the last of them; and a receipt may come twice. */
function keepApplied(applied: Map<string, AppliedEvent>, event: AppliedEvent): void {
  const before = applied.get(event.id);
  if (before === undefined && applied.size >= MAX_APPLIED)
    for (const id of applied.keys()) if (applied.delete(id)) break;
  const isSame = before?.partition === event.partition && before.offset === event.offset;
  // Of two events of one name the later one is asked about.
  if (before === undefined || (!isSame && event.offset >= before.offset)) applied.set(event.id, event);
  if (before === undefined || !isSame) return;
  const exposed = Math.max(event.exposed, before.exposed);
  const since = Math.max(event.since, before.since);
  const atLeast = before.atLeast ? { atLeast: true as const } : {};
  applied.set(event.id, { ...event, at: Math.max(event.at, before.at), since, exposed, ...atLeast });
}
