import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { ACCESS_ENV, readAccess, readConfig } from '@curfew/http';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizationOf, localClients } from '../../../../infra/local/clients.mjs';
import { authority, type Pair, signedBy } from '../../../support/certificates.ts';
import { serviceWith } from './service.ts';

const directory = mkdtempSync(join(tmpdir(), 'curfew-tls-'));
const thumbprintOf = ({ cert }: Pair) =>
  Buffer.from(new X509Certificate(cert).fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');

function file(name: string, content: string): string {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
}

let service: Awaited<ReturnType<typeof serviceWith>>;
let ca: string;
const certificates: Record<string, Pair> = {};

beforeAll(async () => {
  const [ours, theirs] = await Promise.all([authority(), authority()]);
  ca = ours.cert;
  const server = await signedBy(ours, 'localhost');
  certificates['known'] = await signedBy(ours, 'gateway');
  certificates['without a scope'] = await signedBy(ours, 'reader');
  certificates['unknown'] = await signedBy(ours, 'gateway');
  certificates['expired'] = await signedBy(ours, 'gateway', -1);
  certificates['of another authority'] = await signedBy(theirs, 'gateway');
  const clients = Object.entries(certificates).flatMap(([name, pair]) => {
    const scopes = [name === 'without a scope' ? 'events:write' : 'sessions:read'];
    return name === 'unknown' ? [] : [{ id: name.replaceAll(' ', '-'), scopes, certSha256: thumbprintOf(pair) }];
  });
  const env = readConfig(Type.Object(ACCESS_ENV), {
    CURFEW_CLIENTS: JSON.stringify([...clients, ...JSON.parse(localClients())]),
    CURFEW_TLS_CERT_FILE: file('server.crt', server.cert),
    CURFEW_TLS_KEY_FILE: file('server.key', server.key),
    CURFEW_TLS_CLIENT_CA_FILE: file('clients.crt', ours.cert),
  });
  service = await serviceWith(readAccess(env, 'https://service.test'));
  await service.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await service?.close();
  rmSync(directory, { recursive: true });
});

/** Whether the connection of each answer was a resumed one. */
const resumed: boolean[] = [];

/** What `GET <path>` answers to a connection opened with this certificate. */
async function answer(certificate?: Pair, { path = '/read', headers = {}, agent = new Agent() } = {}): Promise<string> {
  const { port } = service.server.address() as AddressInfo;
  const tls = { host: '127.0.0.1', port, servername: 'localhost', ca, ...certificate };
  return new Promise((resolve, reject) => {
    const asked = request({ ...tls, path, headers, agent }, async (reply) => {
      const { client, code } = JSON.parse(await text(reply));
      resolve(`${reply.statusCode} ${client ?? code}`);
    });
    asked.on('error', reject).end();
    asked.on('response', () => resumed.push((asked.socket as TLSSocket).isSessionReused()));
  });
}

describe('a service that listens with TLS', () => {
  test('lets in the client whose certificate it knows, on a resumed connection too', async () => {
    const agent = new Agent({ maxCachedSessions: 1 });
    for (let i = 0; i < 3; i++) expect(await answer(certificates['known'], { agent })).toBe('200 known');
    expect(resumed.splice(0)).toEqual([false, true, true]);
  });

  test('answers 403 to one that has not the scope', async () => {
    expect(await answer(certificates['without a scope'])).toBe('403 scope_insufficient');
  });

  test.each(['unknown', 'expired', 'of another authority'])(
    'knows nobody by a certificate that is %s',
    async (kind) => {
      expect(await answer(certificates[kind])).toBe('401 client_unauthenticated');
    },
  );

  test('takes callers without a certificate: at open routes, and with another credential', async () => {
    expect(await answer()).toBe('401 client_unauthenticated');
    expect(await answer(undefined, { path: '/healthz' })).toBe('200 undefined');
    expect(await answer(undefined, { headers: { authorization: authorizationOf('login') } })).toBe('200 login');
  });

  test('goes by the other credential where there are two', async () => {
    const wrong = { headers: { authorization: 'Basic x' } };
    expect(await answer(certificates['known'], wrong)).toBe('401 client_unauthenticated');
  });
});
