import { type AccessTokenClaims, parseClaims, TIERS } from '@curfew/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const text = fc.string({ minLength: 1 });
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const claims: fc.Arbitrary<AccessTokenClaims> = fc.record(
  {
    iss: text,
    sub: text,
    aud: fc.oneof(text, fc.array(text)),
    exp: count,
    iat: count,
    jti: text,
    sid: text,
    ver: fc.record({ s: count, t: count, r: count, at: count }),
    ten: text,
    roles: fc.array(text),
    acr: text,
    auth_time: count,
    amr: fc.array(text),
    tier: fc.constantFrom(...TIERS),
    client_id: text,
    dev: text,
  },
  { requiredKeys: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'sid', 'ver'] },
);

const good = { iss: 'i', sub: 'a', aud: 'x', exp: 2, iat: 1, jti: 'j', sid: 's', ver: { s: 1, t: 1, r: 1, at: 1 } };

describe("an access token's claims", () => {
  test('are read as they were minted', () => {
    fc.assert(
      fc.property(claims, (minted) => {
        expect(parseClaims(minted)).toEqual({ ok: true, value: minted });
      }),
    );
  });

  test('are never thrown over', () => {
    const spoiled = fc
      .tuple(claims, fc.constantFrom(...Object.keys(good), 'ten', 'roles', 'amr', 'tier', 'auth_time'), fc.jsonValue())
      .map(([minted, claim, value]) => ({ ...minted, [claim]: value }));
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.jsonValue(), spoiled), (value) => {
        expect(parseClaims(value)).toHaveProperty('ok');
      }),
    );
  });

  test('lose what nobody knows', () => {
    expect(parseClaims({ ...good, scope: 'all', ver: { ...good.ver, x: 1 } })).toEqual({ ok: true, value: good });
  });

  test.each([
    ['no session', { ...good, sid: undefined }],
    ['no audience', { ...good, aud: 7 }],
    ['no expiry', { ...good, exp: '2' }],
    ['no versions', { ...good, ver: undefined }],
    ['a version that is not a number', { ...good, ver: { ...good.ver, t: null } }],
    ['a version below zero', { ...good, ver: { ...good.ver, s: -1 } }],
    ['roles that are one text', { ...good, roles: 'admin' }],
    ['a tenant that is no text', { ...good, ten: 1 }],
    ['a time of authentication that is no time', { ...good, auth_time: 'now' }],
  ])('with %s are refused', (_, value) => {
    expect(parseClaims(value)).toMatchObject({ ok: false, code: 'claims_invalid' });
  });
});
