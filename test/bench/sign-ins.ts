import { SESSION_COOKIE } from '@curfew/contracts';
import { authorizationOf } from '../../infra/local/clients.mjs';
import { referenceSession } from './reference-session.ts';

type Headers = Readonly<Record<string, string>>;

/** Sign-ins under way at a time. */
const AT_ONCE = 20;

export const SIGN_IN_URL = `${process.env['CURFEW_ISSUER']}/v1/sessions`;

/** What the session service is asked for the i-th session. */
export function signInBody(i: number, mode: 'bearer' | 'cookie') {
  const { subject, roles, device, ip } = referenceSession(i);
  return { subject, roles, client: { device, ip }, mode };
}

/** Signs in so many users: the headers of each one's requests. */
export async function signIns(kind: string, count: number, url: string): Promise<Headers[]> {
  const headers = new Array<Headers>(count).fill({});
  let next = 0;
  const one = async () => {
    for (let i = next++; i < count; i = next++) headers[i] = await signIn(kind, i, url);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return headers;
}

async function signIn(kind: string, i: number, url: string): Promise<Headers> {
  if (kind === 'bare') return {};
  if (kind === 'express-session') {
    const { headers } = await post(`${url}/sessions/${i}`);
    return { cookie: headers.getSetCookie()[0]?.split(';')[0] ?? '' };
  }
  const mode = kind === 'curfew-cookie' ? 'cookie' : 'bearer';
  const reply = await post(SIGN_IN_URL, signInBody(i, mode), authorizationOf('login'));
  const { cookie, accessToken } = (await reply.json()) as Readonly<Record<string, string>>;
  return mode === 'cookie' ? { cookie: `${SESSION_COOKIE}=${cookie}` } : { authorization: `Bearer ${accessToken}` };
}

async function post(url: string, body: unknown = {}, authorization = ''): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response;
}
