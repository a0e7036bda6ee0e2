/** What the simulation can break on purpose: the checker must find each. */
export const SABOTAGES = [
  /** The bound is switched off: `maxViewAgeMs` is infinite. */
  'ticks',
  /** An accept does not ask whether the session was minted after the horizon. */
  'horizon',
  /** The horizon is compared with the time that a token was issued instead of with `ver.at`. */
  'issued-at',
  /** A partition is read on from what Redis applied, whatever was announced. */
  'announced-position',
  /** A tick is forwarded before the announcements that it vouches for. */
  'early-tick',
  /** The script applies on top of a position that is behind what the caller knows. */
  'rollback-check',
] as const;

export type Sabotage = (typeof SABOTAGES)[number];

export const isSabotage = (name: string): name is Sabotage => (SABOTAGES as readonly string[]).includes(name);
