import { CurfewError, TIERS, type Tier } from '@curfew/contracts';
import { Type } from 'typebox';
import { Parse } from 'typebox/value';

/** How long a session lasts. */
interface Lifetime {
  /** Unused, ms. */
  readonly idleMs: number;
  /** At the most, ms; then the subject signs in again. */
  readonly absoluteMs: number;
}

export type Lifetimes = Readonly<Record<Tier, Lifetime>>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Within NIST SP 800-63B-4, section 2.2.3: at AAL2 at most 24 hours, and one hour of inactivity. */
export const LIFETIMES: Lifetimes = {
  browse: { idleMs: HOUR_MS, absoluteMs: 24 * HOUR_MS },
  account: { idleMs: HOUR_MS, absoluteMs: 12 * HOUR_MS },
  payment: { idleMs: 15 * MINUTE_MS, absoluteMs: HOUR_MS },
};

/** That a session is used is noted once a minute: a limit of little more would end it in use. */
const MIN_MS = 3 * MINUTE_MS;

const Duration = Type.Integer({ minimum: MIN_MS, maximum: 30 * DAY_MS });

const Override = Type.Object(
  Object.fromEntries(
    TIERS.map((tier) => [
      tier,
      Type.Optional(
        Type.Object(
          {
            idleMs: Type.Optional(Duration),
            absoluteMs: Type.Optional(Duration),
          },
          { additionalProperties: false },
        ),
      ),
    ]),
  ),
  { additionalProperties: false },
);

/**
 * Reads lifetimes that differ from the usual, `{"browse":{"idleMs":600000}}`.
 *
 * @throws CurfewError `option_invalid`
 */
export function readLifetimes(json: string): Lifetimes {
  let override: Partial<Record<Tier, Partial<Lifetime>>>;
  try {
    override = Parse(Override, JSON.parse(json)) as typeof override;
  } catch {
    throw new CurfewError(
      'option_invalid',
      `CURFEW_TIERS is not a JSON object of ${TIERS.join(', ')}, each {"idleMs", "absoluteMs"} of ${MIN_MS} ms to 30 days: being used is noted once a minute, and a shorter limit would end sessions in use`,
    );
  }
  const lifetimes = Object.fromEntries(
    TIERS.map((tier) => [tier, { ...LIFETIMES[tier], ...override[tier] }]),
  ) as unknown as Lifetimes;
  for (const tier of TIERS)
    if (lifetimes[tier].idleMs > lifetimes[tier].absoluteMs)
      throw new CurfewError('option_invalid', `CURFEW_TIERS: idleMs of ${tier} is more than its absoluteMs`);
  return lifetimes;
}
