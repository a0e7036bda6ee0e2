import {
  decodeSessionRecord,
  encodeNewRecord,
  encodeSessionRecord,
  handleOf,
  isSessionId,
  MAX_RECORD_BYTES,
  newSessionId,
  recordBytes,
  type SessionRecord,
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
    handle: text,
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
    ended: fc.constantFrom('replaced', 'refresh-reuse'),
    replacedBy: text,
    ux: fc.dictionary(text, fc.string()),
  },
  {
    requiredKeys: [
      ...(['sid', 'subject', 'roles', 'rolesAt', 'tier', 'createdAt', 'authenticatedAt', 'lastSeenAt'] as const),
      ...(['expiresAt', 'idleMs', 's', 't', 'r', 'at', 'generation', 'predecessorUntil'] as const),
    ],
  },
);

const ok = (value: SessionRecord) => ({ ok: true, value });

/** As Redis gives it back: texts alone. */
const stored = (fields: Readonly<Record<string, string | number>>) =>
  Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, String(value)]));

describe("a session's record", () => {
  test('is read as it was written, with or without what is usual', () => {
    fc.assert(
      fc.property(record, (written) => {
        const { handle: _, ...bySid } = written;
        expect(decodeSessionRecord(handleOf(written), stored(encodeNewRecord(written)))).toEqual(ok(written));
        expect(decodeSessionRecord(bySid.sid, stored(encodeSessionRecord(bySid)))).toEqual(ok(bySid));
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
    expect(sidOf('a')).toBe('ypeBEsobvcr6wjGzmiPcTQ');
  });

  test.each(['', 'a', 'a'.repeat(42), 'a'.repeat(44), `${'a'.repeat(42)}=`, `${'a'.repeat(42)}\n`])(
    'is not %j',
    (other) => {
      expect(isSessionId(other)).toBe(false);
    },
  );
});
