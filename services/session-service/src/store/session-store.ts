import type { Tier } from '@curfew/contracts';

/** A session as it is stored: small, and disposable (its end is a version's matter). */
export interface SessionRecord {
  readonly sid: string;
  readonly subject: string;
  readonly tenant?: string;
  readonly roles: readonly string[];
  /** The subject's version when the roles were given: a claims change after it brings others. */
  readonly rolesAt: number;
  readonly tier?: Tier;
  readonly acr?: string;
  readonly amr?: readonly string[];
  readonly device?: string;
  readonly userAgent?: string;
  readonly ip?: string;
  /** Times in ms since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Versions of subject, tenant and realm that the newest token carries, and the time they were read. */
  readonly s: number;
  readonly t: number;
  readonly r: number;
  readonly at: number;
}

/** What a refresh changes. */
export type Renewal = Pick<SessionRecord, 's' | 't' | 'r' | 'at' | 'roles' | 'rolesAt'>;

/** All methods throw CurfewError `store_unavailable` while Redis does not answer. */
export interface SessionStore {
  create(record: SessionRecord, refreshHash: string): Promise<void>;
  read(sid: string): Promise<SessionRecord | undefined>;
  /** Exchanges the refresh token; false where the one shown is not the newest. */
  refresh(sid: string, shownHash: string, successorHash: string, renewal: Renewal): Promise<boolean>;
  /** Lifts a session of the subject over a bump that spares it, unless it was below the floor before already. */
  keep(sid: string, subject: string, version: number, floorBefore: number): Promise<void>;
  remove(sid: string, subject: string): Promise<void>;
  /** Ids of the subject's sessions on a device. */
  onDevice(subject: string, device: string): Promise<string[]>;
}
