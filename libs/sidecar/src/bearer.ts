import { problemHeaders, problemOf } from '@curfew/contracts';
import { stepUpResponse } from './requirement.ts';
import type { Refusal } from './session.ts';

/**
 * The token in an `Authorization` header (RFC 6750, section 2.1; the scheme in any case). Curfew looks nowhere else for a
 * token: one in a URL ends up in logs. Undefined: the request carries none.
 */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.slice(0, 7).toLowerCase() !== 'bearer ') return undefined;
  return authorization.slice(7).trim() || undefined;
}

/** The response to a request that is not let through. It never touches a cookie: a newer one may be on its way. */
export function problemResponse(refusal: Refusal, credentialSent: boolean) {
  const { code } = refusal;
  const stepUp = 'asked' in refusal ? stepUpResponse(refusal.asked) : undefined;
  const problem = stepUp?.problem ?? problemOf(code);
  return { status: problem.status, headers: { ...problemHeaders(code, credentialSent), ...stepUp?.headers }, problem };
}
