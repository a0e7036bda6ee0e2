import { createHash } from 'node:crypto';
import { readClients } from '@curfew/http';
import { afterAll, describe, expect, test } from 'vitest';
import { answerTo, serviceWith } from './service.ts';

const SECRET = 'ä secret: of+more than 128 bits%';
const SHORT = 'too-short-a-secret';
const clients = readClients(
  JSON.stringify(
    Object.entries({ 'log.in': SECRET, weak: SHORT, other: 'another-secret-of-another-client' }).map(
      ([id, secret]) => ({
        id,
        scopes: ['sessions:read'],
        secretSha256: createHash('sha256').update(secret).digest('base64url'),
      }),
    ),
  ),
);
const app = await serviceWith({ clients });
afterAll(() => app.close());

const basic = (text: string, scheme = 'Basic') => `${scheme} ${Buffer.from(text).toString('base64')}`;
const formEncoded = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);

describe('a client with a secret', () => {
  test.each([
    ['form-urlencoded, as RFC 6749 wants it', basic(`log.in:${formEncoded(SECRET)}`)],
    ['percent-encoded', basic(`log.in:${encodeURIComponent(SECRET)}`)],
    ['with the scheme in other letters', basic(`log.in:${formEncoded(SECRET)}`, 'bAsIc')],
  ])('is let in by it, %s', async (_, authorization) => {
    expect(await answerTo(app, authorization)).toBe('200 log.in');
  });

  test.each([
    ['another secret', basic('log.in:a-wrong-secret-of-a-client')],
    ['the secret of another client', basic('log.in:another-secret-of-another-client')],
    ['its secret not encoded', basic(`log.in:${SECRET}`)],
    ['no secret', basic('log.in:')],
    ['no colon', basic('log.in')],
    ['an id that nobody has', basic(`nobody:${formEncoded(SECRET)}`)],
    ['a secret of less than 128 bits', basic(`weak:${SHORT}`)],
    ['what is no Base64', 'Basic ~~~~'],
    ['nothing after the scheme', 'Basic'],
    ['another scheme', basic(`log.in:${formEncoded(SECRET)}`, 'Digest')],
    ['two credentials', `${basic(`log.in:${formEncoded(SECRET)}`)} x`],
    ['an empty header', ''],
  ])('is refused with %s', async (_, authorization) => {
    expect(await answerTo(app, authorization)).toBe('401 client_unauthenticated');
  });
});
