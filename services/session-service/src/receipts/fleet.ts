import type { AppliedEvent, Receipt } from '@curfew/contracts';
import type { SidecarState } from './revocation.ts';

/** A time in which a sidecar said nothing, as long as its bound or longer. */
export interface Silence {
  readonly from: number;
  readonly to: number;
}

/** One life of a sidecar, and what it has said in it. Times in ms since the epoch, by its clock. */
export interface Sidecar {
  readonly firstAt: number;
  readonly last: Receipt;
  /** By the event's id. */
  readonly applied: ReadonlyMap<string, AppliedEvent>;
  /** Those that have ended, in order. */
  readonly silences: readonly Silence[];
}

interface Heard extends Sidecar {
  last: Receipt;
  readonly applied: Map<string, AppliedEvent>;
  readonly silences: Silence[];
}

/** So long after its last word a sidecar is listed, and counts, ms. */
export const FORGET_AFTER_MS = 60_000;
/** So long it is remembered, for the revocations of before, ms. */
const REMEMBER_MS = 10 * 60_000;
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
  hear(receipt: Receipt): Sidecar {
    // A process that was started anew under the same name is another sidecar: the one before may have left things open.
    const key = `${receipt.startedAt} ${receipt.instance}`;
    const known = this.#sidecars.get(key);
    const sidecar: Heard = known ?? { firstAt: receipt.at, last: receipt, applied: new Map(), silences: [] };
    if (known === undefined) this.#sidecars.set(key, sidecar);
    const { last, applied, silences } = sidecar;
    if (receipt.at > last.at) {
      if (receipt.at - last.at >= last.boundMs) silences.push({ from: last.at, to: receipt.at });
      if (silences.length > MAX_SILENCES) silences.shift();
      sidecar.last = receipt;
    }
    for (const event of receipt.applied) keepApplied(applied, event);
    return sidecar;
  }

  /** Those that are remembered. */
  sidecars(now: number): readonly Sidecar[] {
    for (const [key, { last }] of this.#sidecars) if (last.at < now - REMEMBER_MS) this.#sidecars.delete(key);
    return [...this.#sidecars.values()];
  }

  /** Those that have said something lately. */
  present(now: number): readonly Sidecar[] {
    return this.sidecars(now).filter(({ last }) => last.at > now - FORGET_AFTER_MS);
  }
}

export const stateOf = ({ last }: Sidecar, now: number): SidecarState =>
  last.state !== 'closed' && now - last.at >= last.boundMs ? 'silent' : last.state;

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
  const atLeast = before.atLeast ? { atLeast: true as const } : {};
  applied.set(event.id, { ...event, at: Math.max(event.at, before.at), exposed, ...atLeast });
}
