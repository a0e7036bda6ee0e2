import type { SessionRecord } from '@curfew/contracts';

/** What a renewal changes of a record. */
export type Renewal = Pick<SessionRecord, 's' | 't' | 'r' | 'at' | 'roles' | 'rolesAt'>;

/** Roles, and the subject's version when they were given. */
export type RolesGiven = Pick<SessionRecord, 'roles' | 'rolesAt'>;

/** What came of showing a refresh token. */
export type Exchange =
  /** `exchanged`: for the successor of the generation shown. `again`: its successor is the newest already. */
  | { readonly outcome: 'exchanged' | 'again'; readonly record: SessionRecord }
  /** It was exchanged before, too long ago or twice: nothing of this session is exchanged any more. */
  | { readonly outcome: 'reused'; readonly record: SessionRecord }
  /** So it was a moment ago: whoever was told sees to it. */
  | { readonly outcome: 'ended' }
  /** There is no such session, or another has taken its place. */
  | { readonly outcome: 'absent' };

/**
 * The session records. All methods throw CurfewError `store_unavailable` while Redis does not answer. A record that
 * somebody edited, so that it is none, is as good as absent.
 */
export interface SessionStore {
  /**
   * Stores a session, unless its subject has `most` already (0: any number).
   *
   * @returns how many the subject has, this one included, and whether it was stored.
   * @throws CurfewError `session_record_too_large`
   */
  create(record: SessionRecord, most?: number): Promise<{ readonly count: number; readonly stored: boolean }>;
  /** The record under a handle, also one that was replaced: its `ended` says so. */
  read(handle: string): Promise<SessionRecord | undefined>;
  /** The session, under whatever handle it goes on by now. Undefined where it has ended. */
  find(sid: string): Promise<SessionRecord | undefined>;
  /** Exchanges the refresh token of a generation, in one step for all who show it at once. */
  exchange(sid: string, generation: number, graceMs: number): Promise<Exchange>;
  /** The successor of a generation may not have been handed over: that generation is exchanged at least until `until`. */
  undelivered(sid: string, generation: number, until: number): Promise<void>;
  renew(sid: string, renewal: Renewal): Promise<void>;
  /** @throws CurfewError `session_record_too_large`, `session_not_found` */
  setUx(session: SessionRecord, ux: Readonly<Record<string, string>>): Promise<void>;
  /**
   * The session goes on under the handle of its successor, which is stored already.
   *
   * @param graceMs how long whoever shows the old id is to get the new one.
   * @returns the handle that it goes on under: another one where somebody was first; undefined where it has ended.
   */
  replace(session: SessionRecord, successor: SessionRecord, graceMs: number): Promise<string | undefined>;
  /** Takes a record back that has become no session. */
  discard(session: SessionRecord): Promise<void>;
  /**
   * Lifts a session of the subject over a bump that spares it, unless it was below the floor before already, or would be
   * larger than a record may be.
   *
   * @param given roles that the session takes on with it, where they are newer than its own.
   */
  keep(sid: string, subject: string, version: number, floorBefore: number, given?: RolesGiven): Promise<void>;
  /** Removes a session, under all its handles. */
  remove(sid: string, subject: string): Promise<void>;
  /** The subject's sessions, the oldest first. */
  ofSubject(subject: string): Promise<SessionRecord[]>;
}
