import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeProtectedHeader, type JWK } from 'jose';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { call, inWords } from '../support/client.ts';
import { type Services, startServices } from '../support/services.ts';

const ACCESS_TTL_MS = 3000;
/** How long a key is published before it signs: more than sidecars wait between two looks for a key that they lack. */
const AHEAD_MS = 6000;

let directory: string;
let services: Services;
let stopped = false;
/** How often each answer came. */
const answers = new Map<string, number>();
const kids = new Set<string | undefined>();

const newKey = (): JWK => generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JWK;
const [old, next] = [newKey(), newKey()];

/** As Kubernetes changes a secret: whole, or not at all. */
async function write(...keys: JWK[]): Promise<string> {
  const file = join(directory, 'keys.json');
  await writeFile(`${file}.new`, JSON.stringify({ keys }));
  await rename(`${file}.new`, file);
  return file;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'curfew-keys-'));
  const environment = {
    CURFEW_SIGNING_KEY: '',
    CURFEW_SIGNING_KEY_FILE: await write(old),
    CURFEW_ACCESS_TTL_MS: String(ACCESS_TTL_MS),
  };
  services = await startServices(inject('stack'), true, { 'session-service': environment });
});
afterAll(async () => {
  stopped = true;
  await services?.stop();
  await rm(directory, { recursive: true, force: true });
});

const sessions = (path: string) => `${services.urls['session-service']}${path}`;

/** One user: signs in, asks both services, refreshes, over and over. */
async function user(subject: string): Promise<void> {
  const count = (words: string) => answers.set(words, (answers.get(words) ?? 0) + 1);
  while (!stopped) {
    let grant = await call('POST', sessions('/v1/sessions'), { as: 'login', body: { subject } });
    for (let renewals = 0; renewals < 3 && !stopped; renewals++) {
      const token = String(grant.body['accessToken']);
      kids.add(decodeProtectedHeader(token).kid);
      for (const end = Date.now() + ACCESS_TTL_MS / 6; Date.now() < end; await sleep(10))
        for (const url of [`${services.urls.orders}/orders`, `${services.urls.payments}/payments`])
          count(inWords(await call('GET', url, { token })));
      const { refreshToken } = grant.body;
      grant = await call('POST', sessions('/v1/sessions/refresh'), { body: { refreshToken } });
      count(inWords(grant));
    }
  }
}

const published = async () => (await call('GET', sessions('/.well-known/jwks.json'))).body['keys'] as JWK[];

test('a key takes the place of another under load, and not one request is refused', { timeout: 60_000 }, async () => {
  const { body } = await call('POST', sessions('/v1/sessions'), { as: 'login', body: { subject: 'early-bird' } });
  const oldToken = String(body['accessToken']);
  const users = ['alice', 'bob', 'carol', 'dave'].map((name) => user(`${name}-of-the-rotation`));

  await write(old, next);
  await expect.poll(async () => (await published()).length, { timeout: 5000 }).toBe(2);
  await sleep(AHEAD_MS);
  expect(kids.size).toBe(1);

  await write(next, old);
  await expect.poll(() => kids.size, { timeout: 10_000 }).toBe(2);
  expect(JSON.stringify(await published())).not.toContain('"d"');

  await sleep(ACCESS_TTL_MS + 1000);
  await write(next);
  await expect.poll(async () => (await published()).length, { timeout: 5000 }).toBe(1);
  await sleep(1000);
  stopped = true;
  await Promise.all(users);

  // A machine that is busy may lose the bound for a moment; a key is never the reason of that.
  expect([...answers.keys()].filter((words) => words !== '200' && words !== '503 view_stale')).toEqual([]);
  expect(answers.get('200')).toBeGreaterThan(500);
  expect(inWords(await call('GET', `${services.urls.orders}/orders`, { token: oldToken }))).toBe('401 session_expired');
});
