import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Client, Clients } from './clients.ts';

/** Shortest secret that is looked at, characters: 128 random bits in base64url. */
export const MIN_SECRET_LENGTH = 22;

/** Stands for the secret of a client that is unknown or has none, so that it takes as long to find out. */
const NOBODY = randomBytes(32);

/**
 * The client of an `Authorization: Basic` (RFC 6749, section 2.3.1): id and secret are form-urlencoded in it.
 *
 * @param credential what comes after the scheme.
 */
export function clientOfSecret({ byId }: Clients, credential: string): Client | undefined {
  const [, id = '', secret = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(credential, 'base64').toString()) ?? [];
  const client = byId.get(formDecoded(id));
  const plain = formDecoded(secret);
  const hash = createHash('sha256').update(plain).digest();
  const isRight = timingSafeEqual(hash, client?.secretHash ?? NOBODY) && plain.length >= MIN_SECRET_LENGTH;
  return isRight ? client : undefined;
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return '';
  }
}
