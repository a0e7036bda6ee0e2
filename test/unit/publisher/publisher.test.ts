import {
  CAEP,
  type CurfewError,
  decodeSet,
  MAX_VALUE_BYTES,
  RISC,
  type SecurityEventToken,
  type SubjectId,
} from '@curfew/contracts';
import { type EventLog, type EventRecord, Publisher, type SessionRevocation } from '@curfew/publisher';
import { describe, expect, test } from 'vitest';

const NOW = 1_795_507_200_999;
const NOW_S = 1_795_507_200;
const PLACE = { partition: 9, offset: 41 };

const opaque = (id: string): SubjectId & { format: 'opaque' } => ({ format: 'opaque', id });

function publisherOn(append: EventLog['append'], publishTimeoutMs = 1000): Publisher {
  const log: EventLog = { start: async () => {}, close: async () => {}, notReady: () => [], append };
  return new Publisher({ log, issuer: 'https://id.example.com', publishTimeoutMs, now: () => NOW, newId: () => '7f' });
}

/** A publisher on a log that acknowledges everything, and what it wrote there. */
function recording(): { publisher: Publisher; records: EventRecord[] } {
  const records: EventRecord[] = [];
  const publisher = publisherOn(async (record) => {
    records.push(record);
    return PLACE;
  });
  return { publisher, records };
}

/** The one SET that a call writes, with its record key. */
async function written(call: (publisher: Publisher) => Promise<unknown>) {
  const { publisher, records } = recording();
  await call(publisher);
  expect(records).toHaveLength(1);
  const decoded = decodeSet(records[0]?.value, records[0]?.headers['content-type']);
  if (!decoded.ok) throw new Error(decoded.detail);
  return { key: records[0]?.key, set: decoded.value };
}

const set = (sub_id: SubjectId, type: string, payload: object): SecurityEventToken => ({
  iss: 'https://id.example.com',
  jti: '7f',
  iat: NOW_S,
  sub_id,
  events: { [type]: { ...payload } },
});

const good = set(opaque('alice'), `${RISC}identifier-changed`, {});

describe('an account event', () => {
  test('resolves to its jti and to its place in the log', async () => {
    expect(await recording().publisher.passwordChanged({ subject: 'alice' })).toEqual({ id: '7f', ...PLACE });
  });

  test('of a changed password is a CAEP credential-change', async () => {
    const cause = { reason: 'phished', initiatingEntity: 'admin' } as const;
    expect(await written((to) => to.passwordChanged({ subject: 'alice', ...cause }))).toEqual({
      key: 'alice',
      set: set(opaque('alice'), `${CAEP}credential-change`, {
        credential_type: 'password',
        change_type: 'update',
        event_timestamp: NOW_S,
        initiating_entity: 'admin',
        reason_admin: { en: 'phished' },
      }),
    });
  });

  test('of a changed password may name the session that survives', async () => {
    const { key, set } = await written((to) => to.passwordChanged({ subject: 'alice', sessionToKeep: 'phone' }));
    expect(key).toBe('alice');
    expect(set.sub_id).toEqual({ format: 'complex', user: opaque('alice'), session: opaque('phone') });
  });

  test('of a disabled account is a RISC account-disabled', async () => {
    expect(await written((to) => to.accountDisabled({ subject: 'bob', reason: 'hijacking' }))).toEqual({
      key: 'bob',
      set: set(opaque('bob'), `${RISC}account-disabled`, { reason: 'hijacking' }),
    });
  });

  test('of an enabled account is a RISC account-enabled', async () => {
    expect(await written((to) => to.accountEnabled({ subject: 'bob' }))).toEqual({
      key: 'bob',
      set: set(opaque('bob'), `${RISC}account-enabled`, {}),
    });
  });

  test('of changed roles is a CAEP token-claims-change', async () => {
    expect(await written((to) => to.rolesChanged({ subject: 'carol', roles: ['user'] }))).toEqual({
      key: 'carol',
      set: set(opaque('carol'), `${CAEP}token-claims-change`, { claims: { roles: ['user'] }, event_timestamp: NOW_S }),
    });
  });

  test.each<[string, SessionRevocation, string, SubjectId]>([
    ['an account', { subject: 'alice' }, 'alice', opaque('alice')],
    [
      'one session',
      { subject: 'alice', session: 'phone' },
      'alice',
      { format: 'complex', user: opaque('alice'), session: opaque('phone') },
    ],
    ['a tenant', { tenant: 'acme' }, 'acme', { format: 'complex', tenant: opaque('acme') }],
    ['the realm', { tenant: '*' }, '*', { format: 'complex', tenant: opaque('*') }],
    [
      'whom a subject identifier names',
      { subjectId: { format: 'email', email: 'a@b.c' } },
      'a@b.c',
      { format: 'email', email: 'a@b.c' },
    ],
  ])('that ends the sessions of %s is a CAEP session-revoked', async (_, revocation, key, subjectId) => {
    expect(await written((to) => to.sessionRevoked(revocation))).toEqual({
      key,
      set: set(subjectId, `${CAEP}session-revoked`, { event_timestamp: NOW_S }),
    });
  });

  test('of any other kind is published as it is', async () => {
    expect(await written((to) => to.publish(good))).toEqual({ key: 'alice', set: good });
  });
});

describe('an event that cannot be understood', () => {
  test.each<[string, (publisher: Publisher) => Promise<unknown>, string]>([
    ['an empty subject', (to) => to.passwordChanged({ subject: '' }), 'subject_invalid'],
    ['the realm for a subject', (to) => to.accountDisabled({ subject: '*' }), 'subject_invalid'],
    ['roles that are one text', (to) => to.rolesChanged({ subject: 'a', roles: 'x' as never }), 'set_invalid'],
    ['a role without a name', (to) => to.rolesChanged({ subject: 'a', roles: [''] }), 'set_invalid'],
    ['a SET without events', (to) => to.publish({ ...good, events: {} }), 'set_invalid'],
    ['an unknown subject format', (to) => to.publish({ ...good, sub_id: {} as never }), 'subject_format_unknown'],
    ['a payload that JSON cannot say', (to) => to.publish({ ...good, events: { x: { n: 1n } } }), 'set_invalid'],
    [
      'a SET that no reader would read',
      (to) => to.publish({ ...good, events: { x: { n: 'x'.repeat(MAX_VALUE_BYTES) } } }),
      'value_too_large',
    ],
  ])('for %s is refused with its reason, and not written', async (_, call, reason) => {
    const { publisher, records } = recording();
    await expect(call(publisher)).rejects.toMatchObject({ code: 'set_rejected', reason });
    expect(records).toEqual([]);
  });
});

describe('a bus that does not acknowledge', () => {
  test('fails the call within its limit, and the error says that the event may still arrive', async () => {
    const publisher = publisherOn(() => new Promise(() => {}), 50);
    const started = performance.now();
    const error = await publisher.passwordChanged({ subject: 'alice' }).catch((caught: CurfewError) => caught);
    expect(error).toMatchObject({ code: 'bus_unavailable', detail: expect.stringContaining('may still arrive') });
    expect(performance.now() - started).toBeLessThan(500);
  });
});
