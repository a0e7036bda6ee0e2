import { CurfewError, isSessionId, sidOf, type VersionVector } from '@curfew/contracts';

/** A session as somebody names it: what can be told of it on this machine, with nobody asked. */
export interface ShownSession {
  readonly sid: string;
  readonly subject?: string;
  readonly tenant?: string;
  /** Of an access token: the versions that it was minted with. */
  readonly version?: VersionVector;
  /** Of an access token: when it expires, ms since the epoch. */
  readonly expiresAt?: number;
}

const JWT = /^[\w-]+\.([\w-]+)\.[\w-]*$/;

/**
 * Reads a handle (`sid`), a session id (a cookie's value) or a token. An id or a token is a secret: what comes back
 * holds none. A token's signature is not checked.
 *
 * @throws CurfewError `option_invalid`, which does not quote the text.
 */
export function readShown(text: string): ShownSession {
  const [, payload] = JWT.exec(text) ?? [];
  if (payload !== undefined) return ofClaims(payload);
  if (text === '' || /[\s.]/.test(text))
    throw new CurfewError('option_invalid', 'this is no handle of a session (sid), no session id and no token');
  return { sid: isSessionId(text) ? sidOf(text) : text };
}

function ofClaims(payload: string): ShownSession {
  const { sid, sub, ten, ver, exp } = claimsIn(payload);
  if (typeof sid !== 'string') throw new CurfewError('option_invalid', 'this is no token of a session: it has no sid');
  return {
    sid,
    ...(typeof sub === 'string' ? { subject: sub } : {}),
    ...(typeof ten === 'string' ? { tenant: ten } : {}),
    ...(typeof ver === 'object' && ver !== null ? { version: ver as VersionVector } : {}),
    ...(typeof exp === 'number' ? { expiresAt: exp * 1000 } : {}),
  };
}

function claimsIn(payload: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  } catch {
    throw new CurfewError('option_invalid', 'this is no token: its claims are not JSON');
  }
}
