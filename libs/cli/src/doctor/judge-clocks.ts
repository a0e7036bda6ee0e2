import type { Finding } from './finding.ts';

/** A clock against this machine's. */
export interface ClockFacts {
  /** Whose it is: `Kafka`, `Redis 127.0.0.1:6379`. */
  readonly of: string;
  /** How far it is ahead, ms; negative: behind. */
  readonly leadMs: number;
}

const part = 'clocks';
/** What sidecars allow for (`maxClockSkewMs`, its default), ms. */
const MAX_SKEW_MS = 250;

export function judgeClocks(clocks: readonly ClockFacts[]): Finding[] {
  if (clocks.length === 0) return [];
  const off = clocks.filter(({ leadMs }) => Math.abs(leadMs) > MAX_SKEW_MS);
  if (off.length === 0) {
    const largest = Math.max(...clocks.map(({ leadMs }) => Math.abs(leadMs)));
    const says = `${clocks.map(({ of }) => of).join(', ')}: within ${Math.ceil(largest)} ms of this machine's clock`;
    return [{ code: 'clocks_ok', part, level: 'ok', says }];
  }
  return off.map(({ of, leadMs }) => ({
    code: 'clock_skew',
    part,
    level: 'problem',
    says: `the clock of ${of} is ${(Math.abs(leadMs) / 1000).toFixed(2)} s ${leadMs > 0 ? 'ahead of' : 'behind'} this machine's`,
    todo: `set both by NTP: more than ${MAX_SKEW_MS} ms (maxClockSkewMs) costs sidecars the time in which they may accept`,
  }));
}
