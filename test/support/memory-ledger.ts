import { type Found, isWanted, type Ledger, type Wanted } from '../../services/session-service/src/receipts/ledger.ts';
import type { Revocation } from '../../services/session-service/src/receipts/revocation.ts';

/** The ledger, in memory. */
export class MemoryLedger implements Ledger {
  readonly kept = new Map<string, Revocation>();

  async add(revocations: readonly Revocation[]): Promise<void> {
    for (const one of revocations) if (!this.kept.has(one.id)) this.kept.set(one.id, one);
  }

  async settle(revocation: Revocation): Promise<void> {
    if (this.kept.has(revocation.id)) this.kept.set(revocation.id, revocation);
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
