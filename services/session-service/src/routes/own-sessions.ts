import { CurfewError } from '@curfew/contracts';
import { assertOwn, type Caller } from '@curfew/http';
import type { Sessions } from '../sessions/sessions.ts';

/** How long ago a user may have shown a credential who ends other sessions than the one they call with, ms. */
const MAX_AUTH_AGE_MS = 15 * 60_000;

/**
 * A client may end any session, a user their own: the one that they call with at any time, others after they have
 * authenticated lately (OWASP ASVS 5, 7.5.2), so that a thief of one session cannot end the owner's.
 *
 * @param sid the only session that ends; undefined where it may be any of the account's.
 * @throws CurfewError `scope_insufficient`, `insufficient_user_authentication`
 */
export function assertMayEnd(caller: Caller | undefined, subject: string, sid?: string): void {
  assertOwn(caller, subject);
  if (caller === undefined || !('subject' in caller) || caller.sid === sid) return;
  if (Date.now() - caller.authenticatedAt > MAX_AUTH_AGE_MS)
    throw new CurfewError(
      'insufficient_user_authentication',
      `other sessions are ended within ${MAX_AUTH_AGE_MS / 60_000} minutes of an authentication`,
    );
}

/**
 * Spares clients the reading: they may do it with any session.
 *
 * @throws CurfewError `session_not_found`, `scope_insufficient`
 */
export async function ownerOf(
  caller: Caller | undefined,
  sid: string,
  sessions: Pick<Sessions, 'read'>,
): Promise<string | undefined> {
  if (caller !== undefined && 'client' in caller) return undefined;
  const { subject } = (await sessions.read(sid)).session;
  assertOwn(caller, subject);
  return subject;
}
