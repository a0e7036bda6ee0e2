/** What a session is good for, from the least to the most: each has lifetimes of its own, and includes those before it. */
export const TIERS = ['browse', 'account', 'payment'] as const;

export type Tier = (typeof TIERS)[number];

/** The tier of a session that names none. */
export const DEFAULT_TIER: Tier = 'account';

export const isTier = (value: unknown): value is Tier => (TIERS as readonly unknown[]).includes(value);

/** Whether a session of a tier may do what another tier asks for. */
export const tierSuffices = (held: Tier, asked: Tier): boolean => TIERS.indexOf(held) >= TIERS.indexOf(asked);
