import { expect, test } from 'vitest';
import { acknowledgement, sinceAcknowledgement } from '../../../libs/sidecar/src/acknowledgement.ts';

const AT = 1_000_000;

test.each([0, 3_600_000, -500])(
  'an event is dated by this clock, where the broker’s is seen to be ahead by %i ms',
  (lead) => {
    const { since, certainSince } = acknowledgement(AT, lead);
    expect([since, certainSince]).toEqual([AT - lead - 10, AT - lead]);
    expect(sinceAcknowledgement(AT, lead, AT - lead + 3)).toBe(3);
  },
);

test('what is measured since an event has its last delivery in it, as long as clocks may agree', () => {
  expect(sinceAcknowledgement(AT, -2, AT + 5)).toBe(5);
  expect(sinceAcknowledgement(AT, -10, AT + 5)).toBe(5);
  expect(sinceAcknowledgement(AT, -11, AT + 15)).toBe(4);
});
