import { CAEP, EFFECT_RULES, effectsOf, type JsonObject, parseSet, RISC } from '@curfew/contracts';
import { describe, expect, test } from 'vitest';

const opaque = (id: string) => ({ format: 'opaque', id });
const alice = opaque('alice');
const phone = { format: 'complex', user: alice, session: opaque('phone') };
const device = { format: 'complex', user: alice, device: opaque('d1') };
const tenant = (id: string) => ({ format: 'complex', tenant: opaque(id) });

function effectsOn(sub_id: JsonObject, events: Record<string, JsonObject>, rules = EFFECT_RULES) {
  const set = parseSet({ iss: 'i', jti: 'j', iat: 1, sub_id, events });
  if (!set.ok) throw new Error(set.detail);
  return effectsOf(set.value, rules);
}

const effectOn = (sub_id: JsonObject, type: string, payload: JsonObject = {}) =>
  effectsOn(sub_id, { [type]: payload }).effects;

const ENDS = { scope: 'u:alice', raise: 'floor' };
const RENEWS = { scope: 'u:alice', raise: 'current' };

describe('an account event', () => {
  test.each<[string, JsonObject, object]>([
    [`${CAEP}credential-change`, { change_type: 'update' }, ENDS],
    [`${CAEP}credential-change`, { change_type: 'delete' }, ENDS],
    [`${RISC}credential-compromise`, {}, ENDS],
    [`${RISC}account-disabled`, {}, { ...ENDS, blocked: true }],
    [`${RISC}account-purged`, {}, { ...ENDS, blocked: true }],
    [`${RISC}account-enabled`, {}, { ...RENEWS, blocked: false }],
    [`${CAEP}token-claims-change`, { claims: { roles: ['a'] } }, { ...RENEWS, claims: { roles: ['a'] } }],
    [`${CAEP}session-revoked`, {}, ENDS],
    [`${CAEP}assurance-level-change`, { change_direction: 'decrease' }, RENEWS],
    [`${CAEP}risk-level-change`, { current_level: 'LOW' }, RENEWS],
    [`${CAEP}risk-level-change`, { current_level: 'HIGH' }, ENDS],
    [`${RISC}identifier-changed`, {}, RENEWS],
    [`${RISC}recovery-activated`, {}, RENEWS],
  ])('of the type %s with %j does what the table says', (type, payload, effect) => {
    const why = type.replace(CAEP, 'caep/').replace(RISC, 'risc/');
    expect(effectOn(alice, type, payload)).toEqual([{ ...effect, why }]);
  });

  test.each<[string, JsonObject]>([
    [`${CAEP}credential-change`, { change_type: 'create' }],
    [`${CAEP}assurance-level-change`, { change_direction: 'increase' }],
    [`${CAEP}device-compliance-change`, { current_status: 'compliant' }],
  ])('of the type %s with %j changes nothing, and is known', (type, payload) => {
    expect(effectsOn(alice, { [type]: payload })).toEqual({ effects: [], unknownTypes: [] });
  });

  test('of a type that nobody knows changes nothing, and is named', () => {
    const type = 'https://example.com/event-type/thing';
    expect(effectsOn(alice, { [type]: {} })).toEqual({ effects: [], unknownTypes: [type] });
  });

  test.each([
    ['one session', phone, { scope: 's:phone' }],
    ['an account', alice, { scope: 'u:alice' }],
    ['a tenant', tenant('acme'), { scope: 't:acme' }],
    ['the realm', tenant('*'), { scope: 'r' }],
    ['the sessions of one device', device, { scope: 'u:alice', device: 'd1' }],
  ])('that revokes ends %s, as its subject says', (_, sub_id, effect) => {
    expect(effectOn(sub_id, `${CAEP}session-revoked`)[0]).toEqual({
      raise: 'floor',
      why: 'caep/session-revoked',
      ...effect,
    });
  });

  test('that revokes all sessions but one spares that one', () => {
    const type = `${CAEP}session-revoked`;
    expect(effectOn(alice, type, { except_session: 'phone' })).toMatchObject([
      { scope: 'u:alice', raise: 'floor', keeps: 'phone' },
    ]);
    expect(effectOn(phone, type, { except_session: 'laptop' })[0]).not.toHaveProperty('keeps');
    expect(effectOn(alice, type, { except_session: 7 })[0]).not.toHaveProperty('keeps');
  });

  test.each([
    ['a tenant', tenant('alice')],
    ['the realm', tenant('*')],
  ])('that revokes all sessions of %s spares none', (_, sub_id) => {
    const effects = effectOn(sub_id, `${CAEP}session-revoked`, { except_session: 'phone' });
    expect(effects).toHaveLength(1);
    expect(effects[0]).not.toHaveProperty('keeps');
  });

  test('about a device that no longer complies ends its sessions, and has its user renew all others', () => {
    expect(effectOn(device, `${CAEP}device-compliance-change`, { current_status: 'not-compliant' })).toEqual([
      { scope: 'u:alice', raise: 'floor', why: 'caep/device-compliance-change', device: 'd1' },
      { scope: 'u:alice', raise: 'current', why: 'caep/device-compliance-change' },
    ]);
  });

  test.each([`${CAEP}credential-change`, `${RISC}credential-compromise`])(
    'of the type %s spares the session that its subject names, and ends all others',
    (type) => {
      expect(effectOn(phone, type)).toMatchObject([{ scope: 'u:alice', raise: 'floor', keeps: 'phone' }]);
    },
  );

  test('that disables the account spares no session', () => {
    expect(effectOn(phone, `${RISC}account-disabled`)).toEqual([
      { scope: 'u:alice', raise: 'floor', why: 'risc/account-disabled', blocked: true },
    ]);
  });

  test('with several types has the effect of each', () => {
    const { effects } = effectsOn(alice, {
      [`${RISC}account-enabled`]: {},
      [`${CAEP}credential-change`]: { change_type: 'update' },
    });
    expect(effects.map(({ raise }) => raise)).toEqual(['current', 'floor']);
  });

  test('obeys a rule of the configuration before the table', () => {
    const rules = [{ type: `${RISC}identifier-changed`, raise: 'floor' } as const, ...EFFECT_RULES];
    expect(effectsOn(alice, { [`${RISC}identifier-changed`]: {} }, rules).effects).toMatchObject([ENDS]);
  });
});
