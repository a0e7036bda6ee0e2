import { partitionOf, REALM_ID } from '@curfew/contracts';
import type { SessionVersions } from './session-versions.ts';

/**
 * Per partition, up to when everything that the bus acknowledged has been applied here: its newest tick. Times in ms, all
 * by the same clock.
 */
export class Views {
  readonly #newestTick: Float64Array;
  readonly #partitions: number;
  readonly #realmPartition: number;
  #skewMs: number;
  #largestLeadMs = 0;

  /** @param maxClockSkewMs how far the clocks are taken to differ before a tick shows more, ms. */
  constructor(partitions: number, maxClockSkewMs: number) {
    this.#newestTick = new Float64Array(partitions).fill(Number.NEGATIVE_INFINITY);
    this.#partitions = partitions;
    this.#realmPartition = partitions === 0 ? 0 : partitionOf(REALM_ID, partitions);
    this.#skewMs = maxClockSkewMs;
  }

  get skewMs(): number {
    return this.#skewMs;
  }

  get largestLeadMs(): number {
    return this.#largestLeadMs;
  }

  /** Merges by max: ticks may come in any order, and again. */
  apply(partition: number, tick: number, now: number): void {
    this.noteLead(tick - now);
    const newest = this.#newestTick[partition];
    if (newest !== undefined && tick > newest) this.#newestTick[partition] = tick;
  }

  /** A tick from the future shows that this process' clock is behind the one that stamped it, by at least so much. */
  noteLead(leadMs: number): void {
    if (leadMs <= this.#largestLeadMs) return;
    this.#largestLeadMs = leadMs;
    if (leadMs > this.#skewMs) this.#skewMs = leadMs;
  }

  /** Forgets what a partition proved, until its next tick. */
  drop(partition: number): void {
    this.#newestTick[partition] = Number.NEGATIVE_INFINITY;
  }

  /** -Infinity before the first. */
  newestTick(partition: number): number {
    return this.#newestTick[partition] ?? Number.NEGATIVE_INFINITY;
  }

  /** Infinity before the first tick. */
  ageMs(partition: number, now: number): number {
    return now - this.newestTick(partition) + this.#skewMs;
  }

  /** Age of the oldest view among the partitions of a session's subject, tenant and realm, ms. Allocates nothing. */
  oldestAgeMs(session: SessionVersions, now: number): number {
    const ticks = this.#newestTick;
    let oldest = ticks[this.#realmPartition] ?? Number.NEGATIVE_INFINITY;
    const ofSubject = ticks[session.subjectHash % this.#partitions] ?? Number.NEGATIVE_INFINITY;
    if (ofSubject < oldest) oldest = ofSubject;
    if (session.tenant !== undefined) {
      const ofTenant = ticks[session.tenantHash % this.#partitions] ?? Number.NEGATIVE_INFINITY;
      if (ofTenant < oldest) oldest = ofTenant;
    }
    return now - oldest + this.#skewMs;
  }
}
