import { CurfewError } from '@curfew/contracts';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { ClientAssertions } from './client-assertion.ts';
import type { Client, Clients, Scope } from './clients.ts';
import { callerOf, callerOfForm, type User, type VerifyAccessToken } from './identify.ts';
import { createCount, type RateLimits } from './limits.ts';
import { securityOf } from './openapi.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes the request. Undefined on a route that is open, whatever the request carries. */
    caller: Caller | undefined;
  }
  interface FastifyContextConfig {
    /** What a client must be allowed to do to call this route. */
    scope?: Scope;
    /** With a scope: users may call it too, with their own access token, for what is theirs: see `assertOwn`. */
    own?: true;
    /** Instead of a scope: the route takes anybody; with `rateLimit: false` as often as they like. */
    caller?: 'open';
  }
}

/** A client by its id, or a user. */
export type Caller = { readonly client: string } | User;

export interface CallersOptions {
  readonly clients: Clients;
  /** What the `aud` of a client assertion must be or hold: the service's own name. */
  readonly audience: string;
  readonly limits: RateLimits;
  /** Needed where a route has `own`. */
  readonly verifyAccessToken?: VerifyAccessToken | undefined;
}

const FORM = 'application/x-www-form-urlencoded';

const plugin: FastifyPluginAsync<CallersOptions> = async (app, { clients, audience, limits, verifyAccessToken }) => {
  const assertions = new ClientAssertions({ clients, audience });
  const by = { clients, assertions, verifyAccessToken };
  const count = await createCount(app, limits);
  app.decorateRequest('caller', undefined);

  app.addHook('onRoute', (route) => {
    const { scope, own, caller } = route.config ?? {};
    if ((scope === undefined) === (caller === undefined))
      throw new CurfewError('option_invalid', `${route.method} ${route.url} must say a scope, or that it is open`);
    route.schema = { ...route.schema, security: securityOf(scope, own) };
  });

  app.addHook('onRequest', async (request) => {
    const { scope, rateLimit } = request.routeOptions.config;
    if (scope === undefined) return rateLimit === false ? undefined : count(request);
    // A form may carry the credential, where the route takes forms.
    const { authorization, 'content-type': type } = request.headers;
    const mayBeInForm =
      authorization === undefined && type?.startsWith(FORM) && request.server.hasContentTypeParser(FORM);
    const identified = callerOf(request, by);
    // Before the form is read: one that cannot be read never comes as far as the next hook.
    if (mayBeInForm === true && (await identified) === undefined) return count(request);
    await admit(request, scope, identified);
  });

  app.addHook('preValidation', async (request) => {
    const { scope } = request.routeOptions.config;
    if (scope !== undefined && request.caller === undefined)
      await admit(request, scope, callerOfForm(request.body, by));
  });

  async function admit(request: FastifyRequest, scope: Scope, identified: Promise<Client | User | undefined>) {
    const caller = await identified.catch(async (error) => {
      await count(request);
      if (error instanceof CurfewError && error.status === 401)
        request.log.info({ ip: request.ip, code: error.code, why: error.detail }, 'a caller was refused');
      throw error;
    });
    await count(request, caller && 'scopes' in caller ? caller : undefined);
    if (caller === undefined) throw new CurfewError('client_unauthenticated');
    if ('scopes' in caller && !caller.scopes.has(scope))
      throw new CurfewError('scope_insufficient', `this route wants the scope ${scope}`);
    request.caller = 'scopes' in caller ? { client: caller.id } : caller;
  }
};

/**
 * Lets in who may call, and no more often than they may: every route registered after this says
 * `config: { scope: 'sessions:read' }` or `config: { caller: 'open' }`, or the service does not start. Answers 401
 * `client_unauthenticated`, 403 `scope_insufficient`, 429 `rate_limited`.
 */
export const callers = fastifyPlugin(plugin, { name: 'curfew-callers', fastify: '5.x' });

/**
 * A client may do this for every account, a user only for their own.
 *
 * @throws CurfewError `scope_insufficient`
 */
export function assertOwn(caller: Caller | undefined, subject: string): void {
  if (caller === undefined || ('subject' in caller && caller.subject !== subject))
    throw new CurfewError('scope_insufficient', 'this is not of the account that the access token is for');
}
