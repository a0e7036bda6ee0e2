import {
  decodeSessionRecord,
  encodeNewRecord,
  encodeSessionRecord,
  isSessionId,
  MAX_RECORD_BYTES,
  newSessionId,
  recordBytes,
  renewedSessionId,
  type SessionRecord,
  sessionIdHash,
  sidOf,
  TIERS,
} from '@curfew/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const text = fc.string({ minLength: 1 });
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const time = fc.nat({ max: 4_000_000_000 }).map((seconds) => seconds * 1000);
const record: fc.Arbitrary<SessionRecord> = fc.record(
  {
    sid: text,
    subject: text,
    tenant: text,
    roles: fc.array(text),
    rolesAt: count,
    tier: fc.constantFrom(...TIERS),
    acr: text,
    amr: fc.array(text),
    device: text,
    userAgent: text,
    ip: text,
    clientId: text,
    idHash: text,
    previousIdHash: text,
    createdAt: time,
    authenticatedAt: time,
    lastSeenAt: time,
    expiresAt: time,
    idleMs: time,
    s: count,
    t: count,
    r: count,
    at: count,
    generation: count,
    predecessorUntil: count,
    ended: fc.constant('refresh-reuse'),
    ux: fc.dictionary(text, fc.string()),
  },
  {
    requiredKeys: [
      ...(['sid', 'subject', 'roles', 'rolesAt', 'tier', 'createdAt', 'authenticatedAt', 'lastSeenAt'] as const),
      ...(['expiresAt', 'idleMs', 's', 't', 'r', 'at', 'generation', 'predecessorUntil'] as const),
    ],
  },
);

/** As Redis gives it back: texts alone. */
const stored = (fields: Readonly<Record<string, string | number>>) =>
  Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, String(value)]));

describe("a session's record", () => {
  test('is read as it was written, with or without what is usual', () => {
    fc.assert(
      fc.property(record, (written) => {
        for (const encode of [encodeNewRecord, encodeSessionRecord])
          expect(decodeSessionRecord(written.sid, stored(encode(written)))).toEqual({ ok: true, value: written });
      }),
    );
  });

  test('that somebody edited is none, and never thrown over', () => {
    const edited = fc
      .tuple(record, fc.string({ minLength: 1, maxLength: 1 }), fc.string())
      .map(([good, field, value]) => ({ ...stored(encodeNewRecord(good)), [field]: value }));
    fc.assert(
      fc.property(fc.oneof(edited, fc.dictionary(text, fc.string())), (fields) => {
        const decoded = decodeSessionRecord('sid', fields);
        if (decoded.ok) expect(decodeSessionRecord('sid', stored(encodeNewRecord(decoded.value)))).toEqual(decoded);
        else expect(decoded.code).toBe('session_record_invalid');
      }),
    );
  });

  test.each([
    ['', {}],
    ['roles that are no list', { o: '{}' }],
    ['a time that is none', { x: 'soon' }],
    ['a time that RFC 3339 has no words for', { x: '253402300800' }],
    ['a negative version', { s: '-1' }],
    ['a number that no double holds', { v: '9999999999999999' }],
    ['an unknown tier', { k: 'gold' }],
    ['JSON cut short', { m: '["pwd"' }],
    ['an empty subject', { u: '' }],
  ])('with %s is invalid', (_what, edit) => {
    const good = { u: 'alice', c: '1795507200', l: '1795507200', x: '1795550400', y: '3600', v: '1795507200000' };
    expect(decodeSessionRecord('sid', good).ok).toBe(true);
    const fields = Object.keys(edit).length === 0 ? {} : { ...good, ...edit };
    expect(decodeSessionRecord('sid', fields)).toMatchObject({ ok: false, code: 'session_record_invalid' });
  });

  test('is measured in bytes', () => {
    expect(recordBytes({ u: 'ä', c: 12 })).toBe(6);
    expect(MAX_RECORD_BYTES).toBe(1024);
  });
});

describe("a session's id", () => {
  test('is 256 bits that are new each time; its handle is 128 bits of its hash', () => {
    const ids = Array.from({ length: 1000 }, newSessionId);
    expect(new Set(ids).size).toBe(1000);
    expect(ids.every(isSessionId)).toBe(true);
    expect(Buffer.from(ids[0] ?? '', 'base64url')).toHaveLength(32);
    expect(sessionIdHash('a')).toBe('ypeBEsobvcr6wjGzmiPcTQ');
  });

  test('keeps its first half, and with it its handle, when it is renewed', () => {
    const id = newSessionId();
    const renewed = renewedSessionId(id, Buffer.alloc(32, 1));
    expect(isSessionId(renewed)).toBe(true);
    expect(sidOf(renewed)).toBe(sidOf(id));
    expect(sidOf(newSessionId())).not.toBe(sidOf(id));
    expect(sessionIdHash(renewed)).not.toBe(sessionIdHash(id));
    const half = (of: string) => Buffer.from(of, 'base64url').subarray(16).toString('hex');
    expect(half(renewed)).toBe('01'.repeat(16));
  });

  test.each(['', 'a', 'a'.repeat(42), 'a'.repeat(44), `${'a'.repeat(42)}=`, `${'a'.repeat(42)}\n`])(
    'is not %j',
    (other) => {
      expect(isSessionId(other)).toBe(false);
    },
  );
});
