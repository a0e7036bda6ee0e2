import { partitionOf } from '@curfew/contracts';
import type { Announced, Decision, Grant, History, LoggedEvent, Publication } from '../../prove/history.ts';

const PARTITIONS = 12;
export const BOUND_MS = 2000;

/** A history in which an event ended alice's session and all went well, times in ms from 0. */
export function historyOf(changes: Partial<History> = {}): History {
  const publication = publicationOf({});
  const event = eventOf({});
  return {
    from: 0,
    to: 60_000,
    boundMs: BOUND_MS,
    grants: [grantOf({})],
    publications: [publication],
    decisions: [decisionOf({ at: 900 }), decisionOf({ at: 3500, outcome: 'session_revoked' })],
    faults: [],
    losses: [],
    falls: [],
    log: [event],
    announced: [
      { ...announcedOf({}), partition: event.partition },
      { partition: event.partition, tick: 1500, offset: 8 },
    ],
    rejected: [],
    stored: new Map([['u:alice', { current: 1000, floor: 1000 }]]),
    verdicts: [decisionOf({ at: 59_000, outcome: 'session_revoked' })],
    recoveryMs: 700,
    ...changes,
  };
}

export const grantOf = (changes: Partial<Grant>): Grant => ({
  subject: 'alice',
  tenant: 'acme',
  sid: 'phone',
  version: { s: 0, t: 0, r: 0 },
  requestedAt: 100,
  receivedAt: 110,
  ...changes,
});

export const publicationOf = (changes: Partial<Publication>): Publication => ({
  id: 'password-changed',
  sentAt: 990,
  ackedAt: 1005,
  place: { partition: partitionOf('alice', PARTITIONS), offset: 7 },
  ...changes,
});

export const eventOf = (changes: Partial<LoggedEvent>): LoggedEvent => ({
  id: 'password-changed',
  partition: partitionOf('alice', PARTITIONS),
  offset: 7,
  time: 1000,
  effects: [{ scope: 'u:alice', ends: true }],
  ...changes,
});

export const announcedOf = (changes: Partial<Announced>) =>
  ({ scope: 'u:alice', current: 1000, floor: 1000, offset: 7, partition: 0, ...changes }) as Announced;

export const decisionOf = (changes: Partial<Decision>): Decision => ({
  member: 'sidecar-1',
  token: 0,
  policy: 'strict',
  outcome: 'accepted',
  source: 'memory',
  at: 900,
  tookMs: 0,
  ...changes,
});
