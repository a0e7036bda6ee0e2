import { CAEP, CurfewError, type JsonObject, RISC, type SecurityEventToken, type SubjectId } from '@curfew/contracts';

/** Who set an event off (CAEP 1.0, `initiating_entity`). */
export type InitiatingEntity = 'admin' | 'user' | 'policy' | 'system';

/** What a CAEP event may say of its cause. */
export interface Cause {
  /** For a person who administers, in English (`reason_admin`). */
  readonly reason?: string;
  readonly initiatingEntity?: InitiatingEntity;
}

/** A session that survives a password change: the one in which it was made. It must be renewed all the same. */
export interface PasswordChange extends Cause {
  readonly subject: string;
  readonly sessionToKeep?: string;
}

export interface RolesChange extends Cause {
  readonly subject: string;
  /** All roles from now on, not the difference. */
  readonly roles: readonly string[];
}

export interface AccountDisabling {
  readonly subject: string;
  /** RISC names `hijacking` and `bulk-account`; others are free. */
  readonly reason?: string;
}

/**
 * Whose sessions end: a subject's, all but one of them, or one alone; a tenant's (`*`: everybody's); or whoever a subject
 * identifier (RFC 9493) names.
 */
export type SessionRevocation = Cause &
  (
    | { readonly subject: string; readonly session?: string }
    | { readonly subject: string; readonly exceptSession: string }
    | { readonly tenant: string }
    | { readonly subjectId: SubjectId }
  );

/** An account event before it is a SET: whom it is about, and one event type with its payload. */
export interface AccountEvent {
  readonly subjectId: SubjectId;
  readonly type: string;
  readonly payload: JsonObject;
}

/**
 * The event as a SET (RFC 8417).
 *
 * @param now ms since the epoch.
 */
export const setOf = (event: AccountEvent, issuer: string, jti: string, now: number): SecurityEventToken => ({
  iss: issuer,
  jti,
  iat: Math.floor(now / 1000),
  sub_id: event.subjectId,
  events: { [event.type]: event.payload },
});

/** CAEP `credential-change`. */
export const passwordChange = (change: PasswordChange, now: number): AccountEvent => ({
  subjectId: subjectIdOf(change.subject, change.sessionToKeep),
  type: `${CAEP}credential-change`,
  payload: { credential_type: 'password', change_type: 'update', ...caepMembers(change, now) },
});

/** RISC `account-disabled`. */
export const accountDisabling = ({ subject, reason }: AccountDisabling): AccountEvent => ({
  subjectId: subjectIdOf(subject),
  type: `${RISC}account-disabled`,
  payload: reason === undefined ? {} : { reason },
});

/** RISC `account-enabled`. */
export const accountEnabling = ({ subject }: { readonly subject: string }): AccountEvent => ({
  subjectId: subjectIdOf(subject),
  type: `${RISC}account-enabled`,
  payload: {},
});

/**
 * CAEP `token-claims-change`.
 *
 * @throws CurfewError `set_rejected` where the roles are not a list of texts.
 */
export function rolesChange(change: RolesChange, now: number): AccountEvent {
  if (!Array.isArray(change.roles) || !change.roles.every((role) => typeof role === 'string' && role !== ''))
    throw new CurfewError('set_rejected', 'roles is not a list of texts', { reason: 'set_invalid' });
  return {
    subjectId: subjectIdOf(change.subject),
    type: `${CAEP}token-claims-change`,
    payload: { claims: { roles: change.roles }, ...caepMembers(change, now) },
  };
}

/** CAEP `session-revoked`. */
export const sessionRevocation = (revocation: SessionRevocation, now: number): AccountEvent => ({
  subjectId: revokedSubjectId(revocation),
  type: `${CAEP}session-revoked`,
  payload: {
    ...('exceptSession' in revocation ? { except_session: revocation.exceptSession } : {}),
    ...caepMembers(revocation, now),
  },
});

const opaque = (id: string) => ({ format: 'opaque', id }) as const;

const subjectIdOf = (subject: string, session?: string): SubjectId =>
  session === undefined ? opaque(subject) : { format: 'complex', user: opaque(subject), session: opaque(session) };

function revokedSubjectId(revocation: SessionRevocation): SubjectId {
  if ('subjectId' in revocation) return revocation.subjectId;
  if ('tenant' in revocation) return { format: 'complex', tenant: opaque(revocation.tenant) };
  return subjectIdOf(revocation.subject, 'session' in revocation ? revocation.session : undefined);
}

const caepMembers = ({ reason, initiatingEntity }: Cause, now: number): JsonObject => ({
  event_timestamp: Math.floor(now / 1000),
  ...(initiatingEntity === undefined ? {} : { initiating_entity: initiatingEntity }),
  ...(reason === undefined ? {} : { reason_admin: { en: reason } }),
});
