import { decodeReceipt, encodeJson, MAX_VIEW_AGE_MS, RECEIPT_STATES } from '@curfew/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fleet } from '../../../../services/session-service/src/receipts/fleet.ts';
import { OpenRevocation } from '../../../../services/session-service/src/receipts/open-revocation.ts';
import { reportReply, sidecarsReply } from '../../../../services/session-service/src/routes/revocation-replies.ts';
import { BOUND, revocationOf } from '../../../support/receipts.ts';

/** When the event was acknowledged. */
const E = Date.parse('2026-11-25T10:00:00Z');

/** Numbers as a sidecar means them, and as somebody makes them up. */
const number = fc.oneof(
  fc.integer({ min: E - 5000, max: E + 5000 }),
  fc.nat({ max: 5000 }),
  fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  fc.constantFrom(0, MAX_VIEW_AGE_MS, 253_402_300_799_999, 8.64e15, 9e15),
);
const receipt = fc.record({
  service: fc.constant('orders'),
  instance: fc.constantFrom('a', 'b'),
  state: fc.constantFrom(...RECEIPT_STATES),
  at: number,
  startedAt: number,
  boundMs: number,
  partitions: fc.array(fc.record({ offset: number, tick: number, ageMs: number }), { maxLength: 1 }),
  applied: fc.array(
    fc.record({
      id: fc.constant('jti'),
      partition: fc.constant(0),
      offset: fc.constant(5),
      at: number,
      since: number,
      exposed: number,
    }),
    { maxLength: 1 },
  ),
});
const heardAt = fc.integer({ min: E - 5000, max: E + 5000 });

test('law: whatever the numbers in receipts are, what follows from them can be told, and is looked at again in time', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(receipt, heardAt), { maxLength: 6 }), (written) => {
      const fleet = new Fleet();
      const open = new OpenRevocation(revocationOf(E), BOUND);
      for (const [one, heardAt] of written) {
        const decoded = decodeReceipt(encodeJson(one));
        if (decoded.ok) open.consider(fleet.hear({ ...decoded.value, heardAt }), heardAt);
      }
      open.settle(E + MAX_VIEW_AGE_MS);
      expect(() => reportReply(open.report())).not.toThrow();
      expect(() => sidecarsReply(fleet.present(E), E)).not.toThrow();
      expect(open.dueAt() - E === Number.POSITIVE_INFINITY || open.dueAt() - E <= MAX_VIEW_AGE_MS + 5000).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
