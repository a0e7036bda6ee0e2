import type { IncomingHttpHeaders } from 'node:http';
import { SESSION_COOKIE } from '@curfew/contracts';

const COOKIE = new RegExp(`(?:^|; *)${SESSION_COOKIE}=("?)([^;"]*)\\1(?:;|$)`);

/** The value of the session cookie in a `Cookie` header (RFC 6265bis); the first, where there are several. */
export const sessionCookie = (header: string | undefined): string | undefined =>
  header === undefined ? undefined : COOKIE.exec(header)?.[2] || undefined;

/** Methods that change nothing (RFC 9110, section 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** What is looked at of a request. */
export interface Incoming {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly socket?: object;
}

/**
 * Whether a request with a cookie may do what it does: an unsafe one must come from this site, which browsers say by
 * `Sec-Fetch-Site` (Fetch Metadata), or by an `Origin` (RFC 6454) that is this host or an allowed one. One that says
 * neither does not.
 */
export function isFromThisSite(request: Incoming, allowedOrigins: readonly string[]): boolean {
  if (isSafe(request)) return true;
  const { headers } = request;
  const { origin } = headers;
  if (origin !== undefined && allowedOrigins.includes(origin)) return true;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return origin !== undefined && isOriginOf(origin, headers.host ?? headers[':authority'], schemesOf(request));
}

/** A GET that opens a WebSocket is none: any site may send it with the cookie, and read what comes. */
const isSafe = ({ method, headers }: Incoming): boolean =>
  SAFE.has(method ?? '') && !/\bwebsocket\b/i.test(`${headers.upgrade} ${headers['sec-fetch-mode']}`);

/** Behind a proxy nobody knows: it may be the one that speaks TLS. */
const schemesOf = ({ socket = {} }: Incoming): RegExp =>
  'encrypted' in socket && socket.encrypted === true ? /^https:$/ : /^https?:$/;

/** Whether an origin is of a host as requests name it, who may also name the port that is the usual one. */
function isOriginOf(origin: string, host: unknown, schemes: RegExp): boolean {
  const from = URL.parse(origin);
  if (from === null || !schemes.test(from.protocol)) return false;
  return URL.parse(`${from.protocol}//${host}`)?.host === from.host;
}
