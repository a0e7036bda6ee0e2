import { CurfewError, encodeNewRecord, MAX_RECORD_BYTES, recordBytes, type SessionRecord } from '@curfew/contracts';
import type {
  Exchange,
  NextId,
  Renewal,
  RolesGiven,
  SessionStore,
} from '../../services/session-service/src/store/session-store.ts';

const TAKEOVER_MS = 5000;
const MAX_ATTEMPTS = 6;

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

  async exchange(sid: string, generation: number, graceMs: number, attempt: string): Promise<Exchange> {
    const record = await this.read(sid);
    if (!record) return { outcome: 'absent' };
    const now = this.#now();
    const { predecessorUntil, attempts = '' } = record;
    if (record.ended) return now - predecessorUntil > TAKEOVER_MS ? this.#reused(record) : { outcome: 'ended', record };
    if (generation >= record.generation) {
      const exchanged = { generation: generation + 1, predecessorUntil: now + graceMs, attempts: attempt };
      this.#change(record, { ...exchanged, lastSeenAt: now });
      return { outcome: 'exchanged', record };
    }
    if (generation < record.generation - 1 || now >= predecessorUntil) return this.#reused(record);
    const all = attempts.length < MAX_ATTEMPTS * attempt.length ? attempts + attempt : '*';
    this.#change(record, {
      predecessorUntil: attempts === '' ? Math.min(predecessorUntil, now + graceMs) : predecessorUntil,
      attempts: attempts.includes(attempt) ? attempts : all,
      lastSeenAt: now,
    });
    return { outcome: 'again', record };
  }

  async undelivered(sid: string, generation: number, attempt: string): Promise<void> {
    const record = await this.read(sid);
    if (record?.generation !== generation + 1 || record.ended !== undefined) return;
    if (!record.attempts?.includes(attempt)) return;
    const attempts = record.attempts.replace(attempt, '');
    this.#change(record, { attempts, ...(attempts === '' ? { predecessorUntil: record.expiresAt } : {}) });
  }

  async renew(sid: string, renewal: Renewal, id?: NextId): Promise<SessionRecord | undefined> {
    const record = await this.read(sid);
    if (record === undefined || record.ended !== undefined) return undefined;
    const now = this.#now();
    if (id !== undefined && record.previousIdHash === id.shown && now < record.predecessorUntil) return record;
    if (id !== undefined && record.idHash !== id.shown) return undefined;
    const next =
      id === undefined ? {} : { idHash: id.next, previousIdHash: id.shown, predecessorUntil: now + id.graceMs };
    const { roles, rolesAt, ...versions } = renewal;
    const newest = Object.fromEntries(
      Object.entries(versions).map(([name, version]) => [name, Math.max(version, record[name as 's'])]),
    );
    const changed = { ...record, ...next, ...newest, ...(rolesAt > record.rolesAt ? { roles, rolesAt } : {}) };
    if (recordBytes(encodeNewRecord(changed)) > MAX_RECORD_BYTES) throw new CurfewError('session_record_too_large');
    this.#change(record, changed);
    return changed;
  }

  async setUx(sid: string, ux: Readonly<Record<string, string>>): Promise<void> {
    const record = this.records.get(sid);
    if (!record) throw new CurfewError('session_not_found');
    this.#change(record, { ux });
  }

  async keep(sid: string, subject: string, version: number, floorBefore: number, given?: RolesGiven): Promise<void> {
    const record = await this.read(sid);
    if (record?.subject !== subject || record.s >= version || record.s < floorBefore) return;
    const change = { s: version, ...(given && given.rolesAt > record.rolesAt ? given : {}) };
    if (recordBytes(encodeNewRecord({ ...record, ...change })) <= MAX_RECORD_BYTES) this.#change(record, change);
  }

  async remove(sid: string): Promise<boolean> {
    return this.records.delete(sid);
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
