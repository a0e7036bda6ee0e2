import type { SessionRecord } from '@curfew/contracts';

/** What a renewal changes of a record. */
export type Renewal = Pick<SessionRecord, 's' | 't' | 'r' | 'at' | 'roles' | 'rolesAt'>;

/** Roles, and the subject's version when they were given. */
export type RolesGiven = Pick<SessionRecord, 'roles' | 'rolesAt'>;

/** What came of showing a refresh token. */
export type Exchange =
  /**
   * `exchanged`: for the successor of the generation shown. `again`: its successor is the newest already. The record is as
   * it was before.
   */
  | { readonly outcome: 'exchanged' | 'again'; readonly record: SessionRecord }
  /**
   * `reused`: it was exchanged before, too long ago or twice; nothing of this session is exchanged any more. `ended`: so it
   * was a moment ago, and whoever was told sees to it.
   */
  | { readonly outcome: 'reused' | 'ended'; readonly record: SessionRecord }
  | { readonly outcome: 'absent' };

/** The id that a cookie's session gets with its renewal; each is its hash. */
export interface NextId {
  readonly shown: string;
  readonly next: string;
  /** For how long whoever shows that one gets the next, too, ms. */
  readonly graceMs: number;
}

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
  read(sid: string): Promise<SessionRecord | undefined>;
  /**
   * Exchanges the refresh token of a generation, in one step for all who show it at once.
   *
   * @param attempt names this exchange, in 8 characters.
   */
  exchange(sid: string, generation: number, graceMs: number, attempt: string): Promise<Exchange>;
  /** Nobody got a successor by this attempt, whether it was made or not. It may be said twice. */
  undelivered(sid: string, generation: number, attempt: string): Promise<void>;
  /**
   * Brings a session what it takes on; one that a cookie carries its next id with it, in one step for all who show the same.
   *
   * @returns the record after it; undefined where there is no such session, or its id is another.
   * @throws CurfewError `session_record_too_large`
   */
  renew(sid: string, renewal: Renewal, id?: NextId): Promise<SessionRecord | undefined>;
  /** @throws CurfewError `session_record_too_large`, `session_not_found` */
  setUx(sid: string, ux: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Lifts a session of the subject over a bump that spares it, unless it was below the floor before already, or would be
   * larger than a record may be.
   *
   * @param given roles that the session takes on with it, where they are newer than its own.
   */
  keep(sid: string, subject: string, version: number, floorBefore: number, given?: RolesGiven): Promise<void>;
  /** @returns whether it was there: of all who remove a session, one is told so. */
  remove(sid: string, subject: string): Promise<boolean>;
  /** The subject's sessions, the oldest first. */
  ofSubject(subject: string): Promise<SessionRecord[]>;
}
