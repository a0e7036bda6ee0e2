import type { Application, RevocationReport, SidecarReport } from '@curfew/contracts';

export const instant = (ms: number): string => new Date(ms).toISOString();

/** What a session service reports of a sidecar that is well. */
export const sidecarReport = (now: number, otherwise: Partial<SidecarReport> = {}): SidecarReport => ({
  service: 'orders',
  instance: `${otherwise.service ?? 'orders'}-1`,
  state: 'live',
  startedAt: '2026-11-25T02:59:00Z',
  lastReceiptAt: instant(now - 300),
  leaseUntil: instant(now + 1700),
  boundMs: 2000,
  lagRecords: 0,
  partitions: Array.from({ length: 12 }, (_, partition) => ({
    partition,
    offset: 40 + partition,
    tick: instant(now - 400),
    ageMs: 350 + 10 * partition,
  })),
  ...otherwise,
});

/** A sidecar's part in a revocation that it applied after this long, ms. */
export const application = (at: number, service: string, latencyMs: number): Application => ({
  service,
  instance: `${service}-1`,
  state: 'live',
  effective: true,
  by: 'receipt',
  appliedAt: instant(at + latencyMs),
  latencyMs,
  effectiveAt: instant(at + latencyMs),
  exposed: 0,
  says: `applied after ${latencyMs} ms`,
});

/** A revocation of `alice` that is effective on both services. */
export const revocationReport = (at: number, otherwise: Partial<RevocationReport> = {}): RevocationReport => ({
  id: `event-${at}`,
  partition: 3,
  offset: 41,
  why: 'session-revoked',
  scopes: ['u:alice'],
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  at: instant(at),
  appliedAt: instant(at + 1),
  announcedAt: instant(at + 2),
  effective: true,
  effectiveAt: instant(at + 4),
  summary: '2 of 2',
  exposed: 0,
  sidecars: [application(at, 'orders', 3), application(at, 'payments', 4)],
  ...otherwise,
});
