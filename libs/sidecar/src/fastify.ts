import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { bearerToken, problemResponse } from './bearer.ts';
import type { Authentication, Policy, RejectionCode, RoutePolicy, Session } from './session.ts';
import type { Sidecar } from './sidecar.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes the request. On a route that is `open` it is null, whatever the request carries. */
    session: Session;
  }
  interface FastifyContextConfig {
    /** Default `strict`. `open`: the route takes anybody. */
    curfew?: Policy | 'open' | RoutePolicy;
  }
}

export interface CurfewPluginOptions {
  readonly sidecar: Pick<Sidecar, 'authenticate' | 'boundOf'>;
}

const plugin: FastifyPluginCallback<CurfewPluginOptions> = (app, { sidecar }, done) => {
  // The decorator's type says what a protected route sees; Fastify wants the value that stands there before.
  app.decorateRequest('session', null as unknown as Session);

  // A route that asks for what cannot be is found when the service is built, where the plugin was registered before it.
  app.addHook('onRoute', ({ config }) => {
    if (typeof config?.curfew === 'object') sidecar.boundOf(config.curfew.maxViewAgeMs);
  });

  app.addHook('onRequest', (request, reply, next) => {
    const route = request.routeOptions.config.curfew ?? 'strict';
    if (route === 'open' || request.is404) return next();
    const policy = typeof route === 'string' ? route : route.policy;
    const bound = typeof route === 'string' ? undefined : route.maxViewAgeMs;
    const token = bearerToken(request.headers.authorization);
    if (token === undefined) return reject(reply, 'session_invalid', request.headers.authorization !== undefined);
    const answer = sidecar.authenticate(token, policy, bound);
    if (answer instanceof Promise) answer.then((late) => admit(late, request, reply, next), next);
    else admit(answer, request, reply, next);
  });
  done();
};

/**
 * Protects every route of the instance and of its plugins, `strict` unless the route says otherwise:
 * `app.get('/catalog', { config: { curfew: 'open' } }, …)`, `{ config: { curfew: { maxViewAgeMs: 1000 } } }`. What is rejected gets problem+json (RFC 9457).
 */
export const curfew = fastifyPlugin(plugin, { name: 'curfew', fastify: '5.x' });

function admit(answer: Authentication, request: FastifyRequest, reply: FastifyReply, next: () => void): void {
  if (answer.ok) {
    request.session = answer.session;
    next();
  } else reject(reply, answer.code, true);
}

function reject(reply: FastifyReply, code: RejectionCode, credentialSent: boolean): void {
  const { status, headers, problem } = problemResponse(code, credentialSent);
  reply.code(status).headers(headers).send(problem);
}
