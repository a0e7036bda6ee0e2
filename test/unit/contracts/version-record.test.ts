import {
  decodeLogTick,
  decodeVersionRecord,
  encodeJson,
  encodeLogTick,
  encodeVersionRecord,
  type ScopeKey,
  TICK_KEY,
  type Tick,
  type VersionRecord,
} from '@curfew/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const text = fc.string({ unit: 'binary', minLength: 1 });
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');
const time = fc.nat({ max: LAST_TIME });
const scope: fc.Arbitrary<ScopeKey> = fc.oneof(
  fc.tuple(fc.constantFrom('u', 't', 's'), text).map(([kind, id]) => `${kind}:${id}` as ScopeKey),
  fc.constant('r' as const),
);
const versions: fc.Arbitrary<VersionRecord> = fc
  .record(
    {
      scope,
      current: count,
      floor: count,
      at: time,
      why: text,
      id: text,
      offset: count,
      blocked: fc.constant(true as const),
      more: fc.constant(true as const),
    },
    { requiredKeys: ['scope', 'current', 'floor', 'at', 'why', 'id', 'offset'] },
  )
  .map(({ current, floor, ...rest }) => ({
    kind: 'version',
    current: Math.max(current, floor),
    floor: Math.min(current, floor),
    ...rest,
  }));
const ticks: fc.Arbitrary<Tick> = fc.record({ kind: fc.constant('tick'), tick: time, offset: count });

const known = { current: 2, floor: 1, at: 1, why: 'caep/session-revoked', id: '7f', offset: 4 };
const codeOf = (key: string | null, value: unknown) => {
  const decoded = decodeVersionRecord(key === null ? null : Buffer.from(key), encodeJson(value));
  return decoded.ok ? decoded.value.kind : decoded.code;
};

test('a tick on account-events is read as it was stamped, and none that RFC 3339 has no words for', () => {
  const read = (tick: number) => {
    const { key, value } = encodeLogTick(tick);
    return decodeLogTick(Buffer.from(key), value);
  };
  fc.assert(
    fc.property(time, (tick) => {
      expect(read(tick)).toBe(tick);
    }),
  );
  expect(read(LAST_TIME + 1)).toBeUndefined();
});

describe('a version record', () => {
  test('is read as it was written, and so is a tick', () => {
    fc.assert(
      fc.property(fc.oneof(versions, ticks), (record) => {
        const { key, value } = encodeVersionRecord(record);
        expect(decodeVersionRecord(Buffer.from(key), value)).toEqual({ ok: true, value: record });
      }),
    );
  });

  test('is never thrown over, whatever its bytes are', () => {
    const keys = fc.oneof(
      fc.constant(null),
      fc.uint8Array(),
      scope.map((key) => Buffer.from(key)),
      fc.constant(Buffer.from(TICK_KEY)),
    );
    const values = fc.oneof(
      fc.constant(null),
      fc.uint8Array(),
      fc.json().map((value) => Buffer.from(value)),
      fc
        .tuple(fc.constantFrom(...Object.keys(known)), fc.jsonValue())
        .map(([member, value]) => encodeJson({ ...known, [member]: value })),
    );
    fc.assert(
      fc.property(keys, values, (key, value) => {
        expect(decodeVersionRecord(key, value)).toHaveProperty('ok');
      }),
    );
  });

  test('has a floor that is not above its current version', () => {
    expect(codeOf('u:alice', { ...known, floor: 2 })).toBe('version');
    expect(codeOf('u:alice', { ...known, floor: 3 })).toBe('record_invalid');
  });

  test.each([
    ['no key', null, known],
    ['a key that names no scope', 'alice', known],
    ['no offset', 'u:alice', { ...known, offset: undefined }],
    ['a version that a double does not hold exactly', 'u:alice', { ...known, current: 2 ** 53 }],
    ['a time that RFC 3339 has no words for', 'u:alice', { ...known, at: LAST_TIME + 1 }],
    ['no cause', 'u:alice', { ...known, why: '' }],
    ['no event', 'u:alice', { ...known, id: undefined }],
    ["no time, under a tick's key", TICK_KEY, known],
    ['a tick that RFC 3339 has no words for', TICK_KEY, { tick: LAST_TIME + 1, offset: 4 }],
  ])('with %s is refused', (_, key, value) => {
    expect(codeOf(key, value)).toBe('record_invalid');
  });

  test('that was deleted is refused: a scope cannot lose its version', () => {
    expect(decodeVersionRecord(Buffer.from('u:alice'), null)).toMatchObject({ ok: false, code: 'value_missing' });
  });
});
