import type { Problem } from '@curfew/contracts';
import type { App } from '@curfew/http';
import formbody from '@fastify/formbody';
import { Type } from 'typebox';
import type { ShownTokens } from '../sessions/shown-tokens.ts';
import { IntrospectionReply, TokenForm } from './oauth-bodies.ts';

export interface OAuthRoutes {
  readonly shownTokens: Pick<ShownTokens, 'introspect' | 'revoke'>;
}

const FORM = 'application/x-www-form-urlencoded';

/** `/oauth`: what tools ask that know no Curfew. */
export async function oauthRoutes(app: App, { shownTokens }: OAuthRoutes): Promise<void> {
  await app.register(async (scope) => {
    const oauth = scope as unknown as App;
    oauth.removeAllContentTypeParsers();
    await oauth.register(formbody);
    oauth.addHook('onRequest', async (_, reply) => void reply.header('cache-control', 'no-store'));
    oauth.addHook('preSerialization', async (_, { statusCode }, payload) =>
      statusCode < 400 ? payload : withOAuthError(payload as Problem),
    );

    oauth.post(
      '/oauth/introspect',
      {
        config: { scope: 'sessions:read' },
        schema: {
          summary: 'What is known of a token now (RFC 7662)',
          consumes: [FORM],
          body: TokenForm,
          response: { 200: IntrospectionReply },
        },
      },
      async ({ body }) => {
        const found = await shownTokens.introspect(body.token);
        if (found === undefined) return { active: false };
        const { aud, roles, amr, ...rest } = found;
        return {
          active: true,
          ...rest,
          ...(aud === undefined ? {} : { aud: typeof aud === 'string' ? aud : [...aud] }),
          ...(roles === undefined ? {} : { roles: [...roles] }),
          ...(amr === undefined ? {} : { amr: [...amr] }),
        };
      },
    );

    oauth.post(
      '/oauth/revoke',
      {
        // Whoever holds the token may end its session: nobody gains by that.
        config: { caller: 'open' },
        schema: {
          summary: 'Log out by a token (RFC 7009)',
          consumes: [FORM],
          body: TokenForm,
          response: { 200: Type.Object({}, { description: 'It is no good any more, or never was' }) },
        },
      },
      async ({ body }) => {
        await shownTokens.revoke(body.token);
        return {};
      },
    );
  });
}

/**
 * A problem, as everywhere, that also holds what a client of RFC 6749 (section 5.2) looks at: problems may have more
 * members (RFC 9457, section 3.2), and such a client ignores those that it does not know.
 */
function withOAuthError(problem: Problem) {
  const description = (problem.detail ?? problem.title).replace(/[^ !#-[\]-~]/g, "'");
  return { ...problem, error: errorOf(problem.status), error_description: description };
}

function errorOf(status: number): string {
  if (status === 401) return 'invalid_client';
  if (status === 403) return 'insufficient_scope';
  if (status === 429 || status === 503) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}
