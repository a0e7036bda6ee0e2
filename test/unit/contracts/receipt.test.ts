import {
  type AppliedEvent,
  decodeReceipt,
  encodeJson,
  encodeReceipt,
  MAX_APPLIED,
  MAX_VIEW_AGE_MS,
  RECEIPT_STATES,
  type Receipt,
} from '@curfew/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const text = fc.string({ unit: 'binary', minLength: 1 });
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');
const time = fc.nat({ max: LAST_TIME });
const partitions = fc.array(fc.record({ offset: fc.integer({ min: -1 }), tick: time, ageMs: count }));
const eventBy = (at: number): fc.Arbitrary<AppliedEvent> =>
  fc.record(
    {
      id: text,
      partition: count,
      offset: count,
      at: fc.nat({ max: at }),
      since: count,
      exposed: count,
      atLeast: fc.constant(true as const),
    },
    { requiredKeys: ['id', 'partition', 'offset', 'at', 'since', 'exposed'] },
  );
const receipts: fc.Arbitrary<Receipt> = time.chain((at) =>
  fc.record({
    service: text,
    instance: text,
    state: fc.constantFrom(...RECEIPT_STATES),
    at: fc.constant(at),
    startedAt: fc.nat({ max: at }),
    boundMs: fc.integer({ min: 1, max: MAX_VIEW_AGE_MS }),
    partitions,
    applied: fc.array(eventBy(at), { maxLength: MAX_APPLIED }),
  }),
);

const applied = { id: '7f', partition: 3, offset: 40, at: 12, since: 9, exposed: 2 };
const known = {
  service: 'orders',
  instance: 'host-1-ab12',
  state: 'live',
  at: 20,
  startedAt: 10,
  boundMs: 2000,
  partitions: [{ offset: -1, tick: 0, ageMs: 20 }],
  applied: [applied],
};
const codeOf = (value: unknown) => {
  const decoded = decodeReceipt(encodeJson(value));
  return decoded.ok ? 'ok' : decoded.code;
};

describe('a receipt', () => {
  test('is read as it was written, under its instance', () => {
    fc.assert(
      fc.property(receipts, (receipt) => {
        const { key, value } = encodeReceipt(receipt);
        expect(key).toBe(receipt.instance);
        expect(decodeReceipt(value)).toEqual({ ok: true, value: receipt });
      }),
    );
  });

  test('is never thrown over, whatever its bytes are', () => {
    const member = fc.tuple(fc.constantFrom(...Object.keys(known)), fc.jsonValue());
    const eventMember = fc.tuple(fc.constantFrom(...Object.keys(applied)), fc.jsonValue());
    const values = fc.oneof(
      fc.constant(null),
      fc.uint8Array(),
      fc.json().map((value) => Buffer.from(value)),
      member.map(([name, value]) => encodeJson({ ...known, [name]: value })),
      eventMember.map(([name, value]) => encodeJson({ ...known, applied: [{ ...applied, [name]: value }] })),
    );
    fc.assert(
      fc.property(values, (value) => {
        expect(decodeReceipt(value)).toHaveProperty('ok');
      }),
    );
  });

  test('of a thousand partitions is read', () => {
    const place = { offset: 1e15, tick: 1.8e12, ageMs: 1.8e12 };
    expect(codeOf({ ...known, partitions: Array(1000).fill(place) })).toBe('ok');
  });

  test('says no more of an event than it should', () => {
    const decoded = decodeReceipt(encodeJson({ ...known, more: 1, applied: [{ ...applied, atLeast: 1, more: 1 }] }));
    expect(decoded).toEqual({ ok: true, value: known });
  });

  test.each([
    ['no instance', { instance: '' }],
    ['a state that no sidecar has', { state: 'idle' }],
    ['a time that is none', { at: -1 }],
    ['a time that RFC 3339 has no words for', { at: LAST_TIME + 1 }],
    ['a start after it was written', { startedAt: 21 }],
    ['no bound', { boundMs: 0 }],
    ['a bound longer than any sidecar’s', { boundMs: MAX_VIEW_AGE_MS + 1 }],
    ['a tick that RFC 3339 has no words for', { partitions: [{ offset: 1, tick: LAST_TIME + 1, ageMs: 0 }] }],
    ['an event applied after it was written', { applied: [{ ...applied, at: 21 }] }],
    ['partitions that are no list', { partitions: {} }],
    ['an offset below that of nothing', { partitions: [{ offset: -2, tick: 0, ageMs: 0 }] }],
    ['a view without an age', { partitions: [{ offset: 1, tick: 0, ageMs: null }] }],
    ['an event without an id', { applied: [{ ...applied, id: undefined }] }],
    ['an event counted since nobody knows when', { applied: [{ ...applied, since: undefined }] }],
    ['one event in two that is none', { applied: [applied, null] }],
    ['more events than a receipt names', { applied: Array(MAX_APPLIED + 1).fill(applied) }],
  ])('with %s is refused', (_, members) => {
    expect(codeOf(known)).toBe('ok');
    expect(codeOf({ ...known, ...members })).toBe('record_invalid');
  });
});
