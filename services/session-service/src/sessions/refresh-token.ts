import { createHash, randomBytes } from 'node:crypto';

/** 256 bits: nobody guesses it, so a plain hash of it can be stored. */
const SECRET_BYTES = 32;
const SID_BYTES = 16;
const SHAPE = /^([\w-]{22})\.([\w-]{43})$/;

export const newSid = (): string => randomBytes(SID_BYTES).toString('base64url');

/** A new refresh token of a session, `<sid>.<secret>`, and the hash that is stored of it. */
export function newRefreshToken(sid: string): { token: string; hash: string } {
  const token = `${sid}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { token, hash: hashOf(token) };
}

/** The session that a refresh token names, and its hash; undefined where it is no refresh token. */
export function readRefreshToken(token: string): { sid: string; hash: string } | undefined {
  const sid = SHAPE.exec(token)?.[1];
  return sid === undefined ? undefined : { sid, hash: hashOf(token) };
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');
