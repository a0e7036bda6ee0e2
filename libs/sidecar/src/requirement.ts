import { CurfewError, DEFAULT_TIER, isTier, problemOf, TIERS, tierSuffices } from '@curfew/contracts';
import { wholeNumber } from './options.ts';
import type { Asked, RoutePolicy, RouteRefusal, Session } from './session.ts';

/** What a route asks for beyond a session, and the answer to one that does not suffice. */
export interface Requirement extends Asked {
  readonly refusal: RouteRefusal;
}

const DAY_MS = 86_400_000;

/**
 * What a route asks for beyond a session; undefined where that is nothing.
 *
 * @throws CurfewError `option_invalid`
 */
export function requirementOf({ tier, maxAuthAgeMs, acr }: RoutePolicy): Requirement | undefined {
  if (tier === undefined && maxAuthAgeMs === undefined && acr === undefined) return undefined;
  if (tier !== undefined && !isTier(tier))
    throw new CurfewError('option_invalid', `tier of a route is none of ${TIERS.join(', ')}`);
  if (maxAuthAgeMs !== undefined) wholeNumber('maxAuthAgeMs of a route', maxAuthAgeMs, 1000, 365 * DAY_MS);
  if (acr !== undefined && (acr.length === 0 || !acr.every((one) => /^[!#-[\]-~]+$/.test(one))))
    throw new CurfewError('option_invalid', 'acr of a route is not a list of texts without spaces and quotes');
  const asked = {
    ...(tier === undefined ? {} : { tier }),
    ...(maxAuthAgeMs === undefined ? {} : { maxAuthAgeMs }),
    ...(acr === undefined ? {} : { acr }),
  };
  const refusal = { ok: false, code: 'insufficient_user_authentication', asked } as const;
  return { ...asked, refusal: Object.freeze(refusal) };
}

/** @param now ms since the epoch. */
export function suffices({ claims }: Session, { tier, maxAuthAgeMs, acr }: Requirement, now: number): boolean {
  if (tier !== undefined && !tierSuffices(claims.tier ?? DEFAULT_TIER, tier)) return false;
  if (maxAuthAgeMs !== undefined && !(now - (claims.auth_time ?? 0) * 1000 <= maxAuthAgeMs)) return false;
  return acr === undefined || (claims.acr !== undefined && acr.includes(claims.acr));
}

/** The challenge that says what to ask the user for (RFC 9470, section 3), and the same in the body. */
export function stepUpResponse({ tier, maxAuthAgeMs, acr }: Asked) {
  const wants = [
    tier === undefined ? [] : [`a session of the tier ${tier}`],
    maxAuthAgeMs === undefined ? [] : [`an authentication within ${maxAuthAgeMs / 1000} s`],
    acr === undefined ? [] : ['another way of authentication'],
  ].flat();
  const detail = `This needs ${wants.join(', ')}.`;
  const challenge = [
    'Bearer error="insufficient_user_authentication"',
    `error_description="${detail}"`,
    ...(acr === undefined ? [] : [`acr_values="${acr.join(' ')}"`]),
    ...(maxAuthAgeMs === undefined ? [] : [`max_age="${Math.floor(maxAuthAgeMs / 1000)}"`]),
  ].join(', ');
  const problem = { ...problemOf('insufficient_user_authentication', detail), tier, maxAuthAgeMs, acr };
  return { headers: { 'www-authenticate': challenge }, problem };
}
