import {
  CurfewError,
  encodeNewRecord,
  handleOf,
  MAX_RECORD_BYTES,
  recordBytes,
  type SessionRecord,
} from '@curfew/contracts';
import type {
  Exchange,
  Renewal,
  RolesGiven,
  SessionStore,
} from '../../services/session-service/src/store/session-store.ts';

const TAKEOVER_MS = 5000;

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
    this.records.set(handleOf(record), record);
    return { count: others.length + 1, stored: true };
  }

  async read(handle: string): Promise<SessionRecord | undefined> {
    const record = this.records.get(handle);
    return record && this.#endsAt(record) > this.#now() ? record : undefined;
  }

  async find(sid: string): Promise<SessionRecord | undefined> {
    const record = await this.read(sid);
    if (record?.ended === 'replaced') return this.find(record.replacedBy ?? '');
    return record?.ended === undefined ? record : undefined;
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

  async undelivered(sid: string, generation: number, until: number): Promise<void> {
    const record = this.records.get(sid);
    if (record?.generation === generation + 1 && record.ended === undefined)
      this.#change(record, { predecessorUntil: Math.max(record.predecessorUntil, until) });
  }

  async renew(sid: string, renewal: Renewal): Promise<void> {
    const record = this.records.get(sid);
    if (record) this.#change(record, renewal);
  }

  async setUx(session: SessionRecord, ux: Readonly<Record<string, string>>): Promise<void> {
    const record = this.records.get(handleOf(session));
    if (!record) throw new CurfewError('session_not_found');
    this.#change(record, { ux });
  }

  async replace(session: SessionRecord, successor: SessionRecord, graceMs: number): Promise<string | undefined> {
    const record = this.records.get(handleOf(session));
    if (record === undefined || record.ended !== undefined) return record?.replacedBy;
    const replacedBy = handleOf(successor);
    this.#change(record, { ended: 'replaced', replacedBy, predecessorUntil: this.#now() + graceMs });
    return replacedBy;
  }

  async discard(session: SessionRecord): Promise<void> {
    this.records.delete(handleOf(session));
  }

  async keep(sid: string, subject: string, version: number, floorBefore: number, given?: RolesGiven): Promise<void> {
    const record = this.records.get(sid);
    if (record?.replacedBy !== undefined) return this.keep(record.replacedBy, subject, version, floorBefore, given);
    if (record?.subject !== subject || record.s >= version || record.s < floorBefore) return;
    const change = { s: version, ...(given && given.rolesAt > record.rolesAt ? given : {}) };
    if (recordBytes(encodeNewRecord({ ...record, ...change })) <= MAX_RECORD_BYTES) this.#change(record, change);
  }

  async remove(sid: string): Promise<void> {
    const replacedBy = this.records.get(sid)?.replacedBy;
    this.records.delete(sid);
    if (replacedBy !== undefined) await this.remove(replacedBy);
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

  #endsAt({ lastSeenAt, idleMs, expiresAt, ended }: SessionRecord): number {
    return ended === 'replaced' ? expiresAt : Math.min(lastSeenAt + idleMs, expiresAt);
  }

  #change(record: SessionRecord, change: Partial<SessionRecord>): void {
    this.records.set(handleOf(record), { ...record, ...change });
  }
}
