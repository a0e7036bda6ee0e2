import type { Bump } from './acceptances.ts';

/**
 * What the quickest record takes from the broker to here, and the quickest receipt from here to the broker, ms: by so little
 * the lead of its clock may be more than is seen. Where they take longer, whoever reads a receipt sees that by its own time in
 * the log, and takes the exposure for a least.
 */
const DELIVERY_MS = 10;

/**
 * Between which times an event was acknowledged, by this process' clock: no record is here before the broker has dated it.
 *
 * @param at when, by the broker's clock, ms since the epoch.
 * @param brokerLeadMs how far that was seen to be ahead of this process'.
 */
export const acknowledgement = (at: number, brokerLeadMs: number): Pick<Bump, 'since' | 'certainSince'> => ({
  since: at - brokerLeadMs - DELIVERY_MS,
  certainSince: at - brokerLeadMs,
});

/**
 * How long ago that was, ms. A broker that seems to be behind may be one whose every record is long on its way here: it is
 * taken to be behind by no more than clocks may differ, and not at all where all that is seen is a delivery.
 */
export function sinceAcknowledgement(at: number, brokerLeadMs: number, now: number, maxClockSkewMs: number): number {
  const behindMs = Math.min(Math.max(0, -brokerLeadMs - DELIVERY_MS), maxClockSkewMs);
  return now - at + Math.max(0, brokerLeadMs) - behindMs;
}
