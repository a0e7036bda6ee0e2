import {
  type Found,
  isNews,
  isWanted,
  type Ledger,
  type Wanted,
} from '../../services/session-service/src/receipts/ledger.ts';
import { isSameEvent, type Revocation } from '../../services/session-service/src/receipts/revocation.ts';

/** The ledger, in memory. */
export class MemoryLedger implements Ledger {
  readonly kept = new Map<string, Revocation>();

  async add(revocations: readonly Revocation[]): Promise<ReadonlySet<string>> {
    const over = new Set<string>();
    for (const one of revocations) {
      const kept = this.kept.get(one.id);
      if (kept === undefined || !isSameEvent(kept, one)) this.kept.set(one.id, one);
      else if (kept.outcomes !== undefined) over.add(one.id);
    }
    return over;
  }

  async settle(revocation: Revocation): Promise<void> {
    const kept = this.kept.get(revocation.id);
    if (kept === undefined || isNews(revocation, kept)) this.kept.set(revocation.id, revocation);
  }

  async read(id: string): Promise<Revocation | undefined> {
    return this.kept.get(id);
  }

  async newest(wanted: Wanted): Promise<Found> {
    const revocations = [...this.kept.values()]
      .filter(
        (one) =>
          one.scopes.length > 0 && one.at > wanted.since && (wanted.canaries || !one.canary) && isWanted(one, wanted),
      )
      .sort((a, b) => b.at - a.at)
      .slice(0, wanted.limit);
    return { revocations, isTruncated: false };
  }
}
