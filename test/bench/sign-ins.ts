import { authorizationOf } from '../../infra/local/clients.mjs';
import { referenceSession } from './reference-session.ts';

type Headers = Readonly<Record<string, string>>;

/** Sign-ins under way at a time. */
const AT_ONCE = 20;

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
  const { subject, roles, device, ip } = referenceSession(i);
  const signIn = { subject, roles, client: { device, ip } };
  const reply = await post(`${process.env['CURFEW_ISSUER']}/v1/sessions`, signIn, authorizationOf('login'));
  const { accessToken } = (await reply.json()) as { accessToken: string };
  return { authorization: `Bearer ${accessToken}` };
}

async function post(url: string, body: unknown = {}, authorization = ''): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response;
}
