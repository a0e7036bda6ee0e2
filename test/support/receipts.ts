import type { AppliedEvent } from '@curfew/contracts';
import type { HeardReceipt } from '../../services/session-service/src/receipts/fleet.ts';
import type { Revocation } from '../../services/session-service/src/receipts/revocation.ts';

export const BOUND = 2000;
/** A tick that is stamped so long after an event, ms, comes behind it, however far clocks differ. */
export const SKEW = 250;

/** A receipt of a sidecar with one partition that has applied it up to `tick`; its clock is the broker's. */
export const receiptOf = (
  instance: string,
  at: number,
  { tick = 0, ...members }: Partial<HeardReceipt> & { readonly tick?: number } = {},
): HeardReceipt => ({
  service: 'orders',
  instance,
  state: 'live',
  at,
  heardAt: at,
  startedAt: 0,
  boundMs: BOUND,
  partitions: [{ offset: -1, tick, ageMs: 0 }],
  applied: [],
  ...members,
});

export const applied = (at: number, members: Partial<AppliedEvent> = {}): AppliedEvent => ({
  id: 'jti',
  partition: 0,
  offset: 5,
  at,
  since: 0,
  exposed: 0,
  ...members,
});

/** An event at offset 5 of partition 0, announced as soon as it was acknowledged. */
export const revocationOf = (at: number, members: Partial<Revocation> = {}): Revocation => ({
  id: 'jti',
  partition: 0,
  offset: 5,
  at,
  appliedAt: at,
  announcedAt: at,
  why: 'caep/session-revoked',
  scopes: ['u:alice'],
  ...members,
});
