const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 1000;
/** Even the luckiest try leaves the other side this long, ms. */
const MIN_DELAY_MS = 10;

/**
 * How long to wait before trying again, ms: exponential with full jitter, so that many sidecars do not come back at once.
 *
 * @param failures in a row so far, from 1.
 * @param random from 0 up to 1.
 */
export const backoffMs = (failures: number, random: number): number =>
  MIN_DELAY_MS + random * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
