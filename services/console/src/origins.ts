import { CurfewError } from '@curfew/contracts';
import type { FastifyRequest } from 'fastify';

/**
 * Lets in only what a browser asks from the console's own page, under a name that the console is known by: no other
 * site reads accounts or has an operator's browser revoke, not even one whose name is made to point at this machine.
 *
 * @throws CurfewError `cross_site_request`
 */
export function assertOwnPage({ headers, method }: FastifyRequest, origins: readonly string[]): void {
  if (!origins.some((origin) => new URL(origin).host === headers.host))
    throw new CurfewError('cross_site_request', 'the console is not known by this name: see CURFEW_CONSOLE_ORIGIN');
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new CurfewError('cross_site_request');
  const { origin } = headers;
  if (origin !== undefined && !origins.includes(origin)) throw new CurfewError('cross_site_request');
  // Every browser names the origin of a POST; what is no browser names the console itself.
  if (method !== 'GET' && method !== 'HEAD' && origin === undefined)
    throw new CurfewError('cross_site_request', 'the request names no origin');
}
