import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { CurfewError, renewedSessionId } from '@curfew/contracts';
import { jwtVerify, SignJWT } from 'jose';

/** What a refresh token says. Its session's record says which generation is the newest. */
export interface RefreshClaims {
  readonly sid: string;
  readonly generation: number;
  /** Whose session it is, so that versions and record can be read at once. */
  readonly subject: string;
  readonly tenant?: string;
}

/** Keeps a refresh token from being taken for another kind of JWT (RFC 8725, section 3.11). */
const TYPE = 'curfew-refresh+jwt';
const MIN_KEY_BYTES = 32;

/**
 * The refresh tokens: JWTs whose signature only this service knows, and in which nothing varies. So a generation's
 * token is the same whoever makes it, the store holds nothing that a token could be made of, and a token that was never
 * given out does not get as far as the store.
 */
export class RefreshTokens {
  readonly #keys: readonly [KeyObject, ...KeyObject[]];

  constructor(keys: readonly [KeyObject, ...KeyObject[]]) {
    this.#keys = keys;
  }

  issue({ sid, generation, subject, tenant }: RefreshClaims): Promise<string> {
    return new SignJWT({ sid, gen: generation, sub: subject, ...(tenant === undefined ? {} : { ten: tenant }) })
      .setProtectedHeader({ alg: 'HS256', typ: TYPE })
      .sign(this.#keys[0]);
  }

  /** Undefined where the token is none of ours. */
  async read(token: string): Promise<RefreshClaims | undefined> {
    for (const key of this.#keys) {
      const verified = await jwtVerify(token, key, { algorithms: ['HS256'], typ: TYPE }).catch(() => undefined);
      if (verified === undefined) continue;
      const { sid, gen, sub, ten } = verified.payload as { sid: string; gen: number; sub: string; ten?: string };
      return { sid, generation: gen, subject: sub, ...(ten === undefined ? {} : { tenant: ten }) };
    }
    return undefined;
  }

  /** The ids that may come after an id, the same for all who show that at once: by the key of now, then by those before. */
  successorsOf(id: string): [string, ...string[]] {
    const [first, ...others] = this.#keys;
    const by = (key: KeyObject) => renewedSessionId(id, createHmac('sha256', key).update(`after ${id}`).digest());
    return [by(first), ...others.map(by)];
  }
}

/**
 * Reads secrets in base64url, separated by commas. The first signs, all of them verify: to change the key, put the new
 * one first, and take the old one away when every session has been renewed or is over.
 *
 * @throws CurfewError `option_invalid`; no key is ever quoted.
 */
export function readRefreshKeys(text: string): [KeyObject, ...KeyObject[]] {
  const [first, ...others] = text.split(',').map((part) => {
    const secret = /^[\w-]+$/.test(part.trim()) ? Buffer.from(part.trim(), 'base64url') : Buffer.alloc(0);
    if (secret.byteLength < MIN_KEY_BYTES)
      throw new CurfewError(
        'option_invalid',
        `CURFEW_REFRESH_KEYS is not a list of base64url secrets of at least ${MIN_KEY_BYTES} bytes`,
      );
    return createSecretKey(secret);
  });
  if (first === undefined) throw new CurfewError('option_invalid', 'CURFEW_REFRESH_KEYS is empty');
  return [first, ...others];
}
