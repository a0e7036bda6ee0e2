import { problemHeaders, problemOf } from '@curfew/contracts';
import type { RejectionCode } from './session.ts';

/**
 * The token in an `Authorization` header (RFC 6750, section 2.1; the scheme in any case). Curfew looks nowhere else: a
 * token in a URL ends up in logs. Undefined: the request carries none.
 */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.slice(0, 7).toLowerCase() !== 'bearer ') return undefined;
  return authorization.slice(7).trim() || undefined;
}

/** The response to a request that is not let through. */
export function problemResponse(code: RejectionCode, credentialSent: boolean) {
  const problem = problemOf(code);
  return { status: problem.status, headers: problemHeaders(code, credentialSent), problem };
}
