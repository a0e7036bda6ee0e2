import { authorizationOf, type LocalClient } from '../../infra/local/clients.mjs';

/** An answer of a service: its status, and what is in its body. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** One request with JSON in and out, of a client of the local stack or with a token. */
export async function call(
  method: string,
  url: string,
  {
    as,
    token,
    body,
    headers = {},
  }: { as?: LocalClient; token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const reply = await fetch(url, {
    method,
    headers: {
      ...(as === undefined ? {} : { authorization: authorizationOf(as) }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: reply.status, headers: reply.headers, body: (await reply.json()) as Answer['body'] };
}

/** What a client can tell an answer by: `401 session_revoked`, or `200`. */
export const inWords = ({ status, body }: Answer): string =>
  body['code'] === undefined ? String(status) : `${status} ${body['code']}`;
