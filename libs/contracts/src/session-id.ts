import { createHash, randomBytes } from 'node:crypto';

/**
 * 256 bits: nobody guesses them, so plain hashes of them may be known. The first half stays with the session and names
 * it; the second is another one after each renewal, and without the right one the first opens nothing.
 */
const HALF_BYTES = 16;
/** Leftmost 128 bits of a hash (NIST SP 800-107, 5.1). */
const HASH_BYTES = 16;

/** What the value of a session cookie looks like. */
const ID = /^[\w-]{43}$/;

/** A new session id, the secret that is a session cookie's value: 43 characters of base64url. */
export const newSessionId = (): string => randomBytes(2 * HALF_BYTES).toString('base64url');

export const isSessionId = (text: string): boolean => ID.test(text);

/** The id of the same session with another second half: at least 16 bytes that nobody guesses. */
export const renewedSessionId = (id: string, secret: Uint8Array): string =>
  Buffer.concat([firstHalf(id), secret.subarray(0, HALF_BYTES)]).toString('base64url');

/** The handle of a session (`sid`), which is no secret: 22 characters of base64url, SHA-256 of its id's first half. */
export const sidOf = (id: string): string => hashOf(firstHalf(id));

/** What a record knows an id by: 22 characters of base64url, SHA-256 of the whole of it. */
export const sessionIdHash = (id: string): string => hashOf(id);

const firstHalf = (id: string): Buffer => Buffer.from(id, 'base64url').subarray(0, HALF_BYTES);

const hashOf = (what: string | Uint8Array): string =>
  createHash('sha256').update(what).digest().subarray(0, HASH_BYTES).toString('base64url');

/**
 * Name of the session cookie. Browsers take it over TLS alone, for one host and all its paths (RFC 6265bis, 4.1.3.2).
 */
export const SESSION_COOKIE = '__Host-session';
