import { CurfewError } from '@curfew/contracts';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Client } from './clients.ts';

/**
 * Requests per second: of a client that has no limit of its own, and of an address where no client is known. A client
 * whose credential comes in a form counts for both: its address, before the form is read.
 */
export interface RateLimits {
  readonly client: number;
  readonly address: number;
}

/**
 * Counts a request for its client, or for its address, which it counts for once, however often it is asked; throws
 * CurfewError `rate_limited` where it is one too many.
 */
export type Count = (request: FastifyRequest, client?: Client) => Promise<void>;

const SECOND_MS = 1000;

export async function createCount(app: FastifyInstance, limits: RateLimits): Promise<Count> {
  await app.register(rateLimit, { global: false, timeWindow: SECOND_MS });
  const counted = new WeakMap<FastifyRequest, Client>();
  const ofClient = app.createRateLimit({
    keyGenerator: (request) => counted.get(request)?.id ?? '',
    max: (request) => counted.get(request)?.rateLimit ?? limits.client,
  });
  const countedAtAddress = new WeakSet<FastifyRequest>();
  const ofAddress = app.createRateLimit({ max: limits.address });
  return async (request, client) => {
    if (client) counted.set(request, client);
    else if (countedAtAddress.has(request)) return;
    else countedAtAddress.add(request);
    const count = await (client ? ofClient : ofAddress)(request);
    if (!count.isAllowed && count.isExceeded)
      throw new CurfewError('rate_limited', undefined, { retryAfter: Math.max(1, count.ttlInSeconds) });
  };
}
