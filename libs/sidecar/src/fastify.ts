import { contextOfSession } from '@curfew/telemetry';
import { type Context, context } from '@opentelemetry/api';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { problemResponse } from './bearer.ts';
import { type Admission, Gate, type GatedRoute, type GateOptions, type GateSidecar, showsCredential } from './gate.ts';
import type { Policy, RoutePolicy, Session } from './session.ts';

const TRACED = Symbol('traced');

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes the request. On a route that is `open` it is null, whatever the request carries. */
    session: Session;
    /** The context in which the handler tells whose the request is. */
    [TRACED]: Context | undefined;
  }
  interface FastifyContextConfig {
    /** Default `strict`. `open`: the route takes anybody. */
    curfew?: Policy | 'open' | RoutePolicy;
  }
}

export type { GateSidecar };

export interface CurfewPluginOptions extends GateOptions {
  readonly sidecar: GateSidecar;
}

const plugin: FastifyPluginAsync<CurfewPluginOptions> = async (app, { sidecar, ...options }) => {
  const gate = new Gate(sidecar, options);
  /** By what the routes say: an object is a key of its own. */
  const routes = new Map<Policy | RoutePolicy, GatedRoute>();
  const routeOf = (says: Policy | RoutePolicy): GatedRoute => {
    const known = routes.get(says);
    if (known !== undefined) return known;
    const route = gate.routeOf(says);
    routes.set(says, route);
    return route;
  };

  // The decorator's type says what a protected route sees; Fastify wants the value that stands there before.
  app.decorateRequest('session', null as unknown as Session);
  app.decorateRequest(TRACED, undefined);

  // A route that asks for what cannot be is found when the service is built, where the plugin was registered before it.
  app.addHook('onRoute', ({ config }) => {
    if (typeof config?.curfew === 'object') routeOf(config.curfew);
  });

  app.addHook('onRequest', (request, reply, next) => {
    const says = request.routeOptions.config.curfew ?? 'strict';
    if (says === 'open' || request.is404) return next();
    const answer = gate.admit(request, routeOf(says));
    if (answer instanceof Promise) answer.then((late) => admit(late, request, reply, next), next);
    else admit(answer, request, reply, next);
  });

  // A body is read in a context of its own, so the request's is entered behind that.
  app.addHook('preHandler', (request, _reply, next) => {
    const traced = request[TRACED];
    if (traced === undefined) next();
    else context.with(traced, next);
  });
};

/**
 * Protects every route of the instance and of its plugins, `strict` unless the route says otherwise:
 * `app.get('/catalog', { config: { curfew: 'open' } }, …)`, `{ config: { curfew: { maxViewAgeMs: 1000 } } }`. What is rejected gets problem+json (RFC 9457).
 */
export const curfew = fastifyPlugin(plugin, { name: 'curfew', fastify: '5.x' });

function admit(answer: Admission, request: FastifyRequest, reply: FastifyReply, next: () => void): void {
  if (answer.ok) {
    request.session = answer.session;
    request[TRACED] = contextOfSession(answer.session);
    next();
    return;
  }
  const { status, headers, problem } = problemResponse(answer, showsCredential(request));
  reply.code(status).headers(headers).send(problem);
}
