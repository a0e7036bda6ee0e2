import {
  CAEP,
  encodeJson,
  RISC,
  type SecurityEventToken,
  type SubjectId,
  subjectScope,
  tenantScope,
} from '@curfew/contracts';
import type { HistoryEffect } from './history.ts';
import type { Random } from './random.ts';

export const USERS = ['alice', 'bob', 'carol'] as const;
export const TENANT = 'acme';
export const DEVICES = ['laptop', 'phone'] as const;

/** An account event as the identity system publishes it, and what the checker is told that it means. */
export interface Published {
  readonly id: string;
  /** The record's key. */
  readonly key: string;
  readonly value: Buffer;
  readonly effects: readonly HistoryEffect[];
}

interface Draft {
  readonly key: string;
  readonly type: string;
  readonly subject: SubjectId;
  readonly payload: SecurityEventToken['events'][string];
  readonly effects: readonly HistoryEffect[];
}

const opaque = (id: string) => ({ format: 'opaque', id }) as const;

const ofUser = (user: string, type: string, ends: boolean, payload: Draft['payload'] = {}): Draft => ({
  key: user,
  type,
  subject: opaque(user),
  payload,
  effects: [{ scope: subjectScope(user), ends }],
});

const DRAFTS: readonly ((user: string, sid: string | undefined, random: Random) => Draft)[] = [
  (user) => ofUser(user, `${CAEP}credential-change`, true, { change_type: 'update' }),
  (user) => ofUser(user, `${CAEP}session-revoked`, true),
  (user) => ofUser(user, `${RISC}account-disabled`, true),
  (user) => ofUser(user, `${RISC}account-enabled`, false),
  (user) => ofUser(user, `${CAEP}token-claims-change`, false, { claims: { roles: ['viewer'] } }),
  (user, sid) =>
    sid === undefined
      ? ofUser(user, `${CAEP}session-revoked`, true)
      : {
          ...ofUser(user, `${CAEP}session-revoked`, true),
          subject: { format: 'complex', user: opaque(user), session: opaque(sid) },
          effects: [{ scope: `s:${sid}`, ends: true }],
        },
  (user, sid) =>
    sid === undefined
      ? ofUser(user, `${CAEP}credential-change`, true)
      : {
          ...ofUser(user, `${CAEP}credential-change`, true),
          subject: { format: 'complex', user: opaque(user), session: opaque(sid) },
          effects: [{ scope: subjectScope(user), ends: true, keeps: sid }],
        },
  () => ({
    ...ofUser('', `${CAEP}session-revoked`, true),
    key: TENANT,
    subject: { format: 'complex', tenant: opaque(TENANT) },
    effects: [{ scope: tenantScope(TENANT), ends: true }],
  }),
  () => ({
    ...ofUser('', `${CAEP}session-revoked`, true),
    key: '*',
    subject: { format: 'complex', tenant: opaque('*') },
    effects: [{ scope: 'r', ends: true }],
  }),
];

const DEVICE_DRAFT = (user: string, device: string): Draft => ({
  ...ofUser(user, `${CAEP}device-compliance-change`, true, { current_status: 'not-compliant' }),
  subject: { format: 'complex', user: opaque(user), device: opaque(device) },
  effects: [
    { scope: subjectScope(user), ends: true, device },
    { scope: subjectScope(user), ends: false },
  ],
});

/**
 * Draws an event.
 *
 * @param sidOf a session of the user that is known, if there is one.
 */
export function drawEvent(id: string, random: Random, sidOf: (user: string) => string | undefined): Published {
  const user = random.pick(USERS);
  const draft = random.chance(0.15)
    ? DEVICE_DRAFT(user, random.pick(DEVICES))
    : random.pick(DRAFTS)(user, sidOf(user), random);
  const set: SecurityEventToken = {
    iss: 'https://id.example.com',
    jti: id,
    iat: 1_800_000_000,
    sub_id: draft.subject,
    events: { [draft.type]: draft.payload },
  };
  return { id, key: draft.key, value: encodeJson(set), effects: draft.effects };
}
