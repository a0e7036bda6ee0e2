/** Draws from a seed: the same seed draws the same. */
export interface Random {
  /** From 0 up to 1. */
  next(): number;
  /** A whole number from `min` to `max`, both possible. */
  between(min: number, max: number): number;
  /** One of them; there must be one. */
  pick<T>(of: readonly T[]): T;
  /** One of them, more often where its weight is larger. */
  weighted<T extends { readonly weight: number }>(of: readonly T[]): T;
}

/** mulberry32: 32 bits of state, enough to repeat a run and no more. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const pick = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
  return {
    next,
    between: (min, max) => min + Math.floor(next() * (max - min + 1)),
    pick,
    weighted: (of) => {
      let left = next() * of.reduce((sum, { weight }) => sum + weight, 0);
      for (const one of of) {
        left -= one.weight;
        if (left < 0) return one;
      }
      return pick(of);
    },
  };
}
