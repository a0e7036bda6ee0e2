import { expect, test } from 'vitest';
import { acknowledgement, sinceAcknowledgement } from '../../../libs/sidecar/src/acknowledgement.ts';

const AT = 1_000_000;

test.each([0, 3_600_000, -500])(
  'an event is dated by this clock, where the broker’s is seen to be ahead by %i ms',
  (lead) => {
    const { since, certainSince } = acknowledgement(AT, lead);
    expect([since, certainSince]).toEqual([AT - lead - 10, AT - lead]);
  },
);

const since = (brokerLeadMs: number, now: number) => sinceAcknowledgement(AT, brokerLeadMs, now, 250);

test('what is measured since an event has its last delivery in it, as long as clocks may agree', () => {
  expect(since(-2, AT + 5)).toBe(5);
  expect(since(-10, AT + 15)).toBe(15);
  expect(since(-11, AT + 15)).toBe(14);
});

test('what is measured since an event is by the broker’s clock, as far as clocks may differ', () => {
  expect(since(3_600_000, AT - 3_600_000 + 3)).toBe(3);
  expect(since(-200, AT + 203)).toBe(13);
});

test('what takes every record long is measured, but for as much as clocks may differ', () => {
  expect(since(-1500, AT + 1500)).toBe(1250);
  expect(since(Number.NEGATIVE_INFINITY, AT + 1500)).toBe(1250);
});
