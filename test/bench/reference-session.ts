/** What the reference session says: who, on which device, from which network, with two roles. */
export interface ReferenceSession {
  readonly subject: string;
  readonly roles: readonly string[];
  readonly device: string;
  readonly ip: string;
}

/** The i-th session, of a subject of its own. */
export const referenceSession = (i: number): ReferenceSession => ({
  subject: `user-${i.toString().padStart(7, '0')}`,
  roles: ['customer', 'reviewer'],
  device: `device-${i.toString(36)}`,
  ip: `203.0.${i % 256}.0/24`,
});

/** How many sessions a case takes: as many as it is told by `--sessions`, where that is fewer. */
export const sessionCount = (usual: number): number =>
  Math.min(usual, Number(process.env['CURFEW_BENCH_SESSIONS'] ?? usual));
