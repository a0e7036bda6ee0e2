import { createHash, randomBytes } from 'node:crypto';

/** 256 bits: nobody guesses it, so a plain hash of it may be known. */
const ID_BYTES = 32;
/** Leftmost 128 bits of the hash (NIST SP 800-107, 5.1). */
const HANDLE_BYTES = 16;

/** What the value of a session cookie looks like. */
const ID = /^[\w-]{43}$/;

/** A new session id, the secret that is a session cookie's value: 43 characters of base64url. */
export const newSessionId = (): string => randomBytes(ID_BYTES).toString('base64url');

export const isSessionId = (text: string): boolean => ID.test(text);

/** The handle of an id, and the `sid` of a session's first one. It is no secret: 22 characters of base64url, SHA-256. */
export const sidOf = (id: string): string =>
  createHash('sha256').update(id).digest().subarray(0, HANDLE_BYTES).toString('base64url');

/**
 * Name of the session cookie. Browsers take it over TLS alone, for one host and all its paths (RFC 6265bis, 4.1.3.2).
 */
export const SESSION_COOKIE = '__Host-session';
