import { CAEP, CONTENT_TYPE, decodeSet, encodeJson, MAX_VALUE_BYTES, type SecurityEventToken } from '@curfew/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const alice: SecurityEventToken = {
  iss: 'https://id.example.com',
  jti: '7f',
  iat: 1_795_507_200,
  sub_id: { format: 'opaque', id: 'alice' },
  events: { [`${CAEP}credential-change`]: { credential_type: 'password', change_type: 'update' } },
};

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 64 });
const id = text.filter((one) => one !== '*');
const simple = fc.oneof(
  id.map((one) => ({ format: 'opaque', id: one }) as const),
  fc.tuple(text, id).map(([iss, sub]) => ({ format: 'iss_sub', iss, sub }) as const),
  id.map((email) => ({ format: 'email', email }) as const),
  id.map((uri) => ({ format: 'account', uri }) as const),
);
const complex = fc
  .record({ user: simple, session: simple, device: simple, tenant: simple }, { requiredKeys: ['user'] })
  .map((members) => ({ format: 'complex', ...members }) as const);
/** Whatever JSON can say; -0 is not among it. */
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)));
const sets: fc.Arbitrary<SecurityEventToken> = fc.record(
  {
    iss: text,
    jti: text,
    iat: fc.nat(),
    txn: text,
    sub_id: fc.oneof(simple, complex),
    events: fc.dictionary(text, fc.dictionary(fc.string(), json), { minKeys: 1, maxKeys: 3 }),
  },
  { requiredKeys: ['iss', 'jti', 'iat', 'sub_id', 'events'] },
);

const codeOf = (value: Uint8Array | null, contentType?: string) => {
  const decoded = decodeSet(value, contentType);
  return decoded.ok ? 'ok' : decoded.code;
};

describe('a SET on the bus', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(sets, (set) => {
        expect(decodeSet(encodeJson(set))).toEqual({ ok: true, value: set });
      }),
    );
  });

  test('is never thrown over, whatever its bytes and its content-type are', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 512 }),
      fc.json().map((value) => Buffer.from(value)),
      fc
        .tuple(sets, fc.constantFrom(...Object.keys(alice)), json)
        .map(([set, claim, value]) => encodeJson({ ...set, [claim]: value })),
    );
    const contentTypes = fc.oneof(fc.constantFrom(...Object.values(CONTENT_TYPE)), fc.string());
    fc.assert(
      fc.property(bytes, contentTypes, (value, contentType) => {
        expect(decodeSet(value, contentType)).toHaveProperty('ok');
      }),
    );
  });

  test('loses the claims that nobody knows, and keeps unknown members of its events', () => {
    const events = { 'https://example.com/event': { anything: [1] } };
    expect(decodeSet(encodeJson({ ...alice, events, toe: 5 }))).toEqual({ ok: true, value: { ...alice, events } });
  });

  test('is read up to the largest size, and no further', () => {
    const padded = (bytes: number) => Buffer.from(JSON.stringify(alice).padEnd(bytes, ' '));
    expect(codeOf(padded(MAX_VALUE_BYTES))).toBe('ok');
    expect(codeOf(padded(MAX_VALUE_BYTES + 1))).toBe('value_too_large');
    expect(codeOf(Buffer.alloc(1024 * 1024, '{'))).toBe('value_too_large');
  });

  test('may be a JWT, whose claims are read', () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const jwt = Buffer.from(`${part({ alg: 'ES256', typ: 'secevent+jwt' })}.${part(alice)}.c2ln`);
    expect(decodeSet(jwt, 'application/secevent+JWT; charset=utf-8')).toEqual({ ok: true, value: alice });
    expect(codeOf(Buffer.from('not.a-jwt'), CONTENT_TYPE.jwt)).toBe('jwt_malformed');
    expect(codeOf(Buffer.from('e30.!.'), CONTENT_TYPE.jwt)).toBe('jwt_malformed');
  });

  test.each([
    ['no value', null, 'value_missing'],
    ['no JSON', Buffer.from('{"iss":'), 'json_malformed'],
    ['JSON that is no object', Buffer.from('[]'), 'json_malformed'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'json_malformed'],
    ['no issuer', encodeJson({ ...alice, iss: '' }), 'set_invalid'],
    ['no jti', encodeJson({ ...alice, jti: 7 }), 'set_invalid'],
    ['a time that is a text', encodeJson({ ...alice, iat: '2026' }), 'set_invalid'],
    ['a time before the epoch', encodeJson({ ...alice, iat: -1 }), 'set_invalid'],
    ['a txn that is a number', encodeJson({ ...alice, txn: 1 }), 'set_invalid'],
    ['no event', encodeJson({ ...alice, events: {} }), 'set_invalid'],
    ['an event without a payload', encodeJson({ ...alice, events: { x: null } }), 'set_invalid'],
    ['no subject', encodeJson({ ...alice, sub_id: undefined }), 'subject_invalid'],
    ['a format that nobody knows', encodeJson({ ...alice, sub_id: { format: 'did' } }), 'subject_format_unknown'],
  ])('with %s is refused', (_, value, code) => {
    expect(codeOf(value)).toBe(code);
  });

  test('of another media type is refused', () => {
    expect(codeOf(encodeJson(alice), 'text/plain')).toBe('content_type_unknown');
  });
});
