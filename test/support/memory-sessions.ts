import { CurfewError, type SessionRecord } from '@curfew/contracts';
import type { Exchange, Renewal, SessionStore } from '../../services/session-service/src/store/session-store.ts';

const TAKEOVER_MS = 5000;
const DAY_MS = 86_400_000;

/** Session records in memory: the model that the Lua scripts are compared with. */
export class MemorySessions implements SessionStore {
  readonly records = new Map<string, SessionRecord>();
  readonly #now: () => number;

  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  async create(record: SessionRecord, most = 0): Promise<{ count: number; stored: boolean }> {
    const others = [...this.records.values()].filter(
      ({ subject, ended }) => subject === record.subject && ended === undefined,
    );
    if (most > 0 && others.length >= most) return { count: others.length, stored: false };
    this.records.set(record.sid, record);
    return { count: others.length + 1, stored: true };
  }

  async read(sid: string): Promise<SessionRecord | undefined> {
    const record = this.records.get(sid);
    return record && this.#endsAt(record) > this.#now() ? record : undefined;
  }

  async exchange(sid: string, generation: number, graceMs: number): Promise<Exchange> {
    const record = await this.read(sid);
    if (!record || record.ended === 'replaced') return { outcome: 'absent' };
    const now = this.#now();
    const until = record.predecessorUntil;
    if (record.ended) return now - until > TAKEOVER_MS ? this.#reused(record) : { outcome: 'ended' };
    if (generation >= record.generation) {
      this.#change(record, { generation: generation + 1, predecessorUntil: now + graceMs, lastSeenAt: now });
      return { outcome: 'exchanged', record };
    }
    if (generation < record.generation - 1 || now >= until) return this.#reused(record);
    this.#change(record, { predecessorUntil: Math.min(until, now + graceMs), lastSeenAt: now });
    return { outcome: 'again', record };
  }

  async undelivered(sid: string, generation: number): Promise<void> {
    const record = this.records.get(sid);
    if (record?.generation === generation + 1) this.#change(record, { predecessorUntil: this.#now() + DAY_MS });
  }

  async renew(sid: string, renewal: Renewal): Promise<void> {
    const record = this.records.get(sid);
    if (record) this.#change(record, renewal);
  }

  async setUx(sid: string, ux: Readonly<Record<string, string>>): Promise<void> {
    const record = this.records.get(sid);
    if (!record) throw new CurfewError('session_not_found');
    this.#change(record, { ux });
  }

  async replace(sid: string): Promise<void> {
    const record = this.records.get(sid);
    if (record) this.#change(record, { ended: 'replaced' });
  }

  async keep(sid: string, subject: string, version: number, floorBefore: number): Promise<void> {
    const record = this.records.get(sid);
    if (record?.subject === subject && record.s < version && record.s >= floorBefore)
      this.#change(record, { s: version });
  }

  async remove(sid: string): Promise<void> {
    this.records.delete(sid);
  }

  async ofSubject(subject: string): Promise<SessionRecord[]> {
    return [...this.records.values()]
      .filter((record) => record.subject === subject && record.ended === undefined)
      .filter((record) => this.#endsAt(record) > this.#now())
      .sort((a, b) => a.createdAt - b.createdAt);
  }

  #reused(record: SessionRecord): Exchange {
    this.#change(record, { ended: 'refresh-reuse', predecessorUntil: this.#now() });
    return { outcome: 'reused', record };
  }

  #endsAt({ lastSeenAt, idleMs, expiresAt }: SessionRecord): number {
    return Math.min(lastSeenAt + idleMs, expiresAt);
  }

  #change(record: SessionRecord, change: Partial<SessionRecord>): void {
    this.records.set(record.sid, { ...record, ...change });
  }
}
