import { type App, type AppOptions, createApp } from '@curfew/http';
import type { JSONWebKeySet } from 'jose';
import { SubjectParams, VersionReply } from './routes/session-bodies.ts';
import { sessionRoutes } from './routes/sessions.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { VersionStore } from './store/version-store.ts';

export interface SessionServiceOptions extends Pick<AppOptions, 'notReady' | 'telemetry' | 'logLevel'> {
  readonly sessions: Sessions;
  readonly versions: VersionStore;
  readonly jwks: JSONWebKeySet;
}

/** How long a client may keep the key set, seconds. */
const JWKS_MAX_AGE_S = 300;

/** The session service's HTTP side; it listens nowhere yet. */
export async function buildApp({ sessions, versions, jwks, ...options }: SessionServiceOptions): Promise<App> {
  const app = await createApp({ name: 'session-service', ...options });

  sessionRoutes(app, sessions);

  app.get(
    '/v1/subjects/:sub/version',
    { schema: { summary: "Read an account's version", params: SubjectParams, response: { 200: VersionReply } } },
    async ({ params: { sub } }) => {
      const { subject, blocked } = await versions.read(sub);
      return { subject: sub, ...subject, blocked };
    },
  );

  app.get('/.well-known/jwks.json', { schema: { summary: 'Keys that verify access tokens (RFC 7517)' } }, (_, reply) =>
    reply.header('cache-control', `public, max-age=${JWKS_MAX_AGE_S}`).send(jwks),
  );
  return app;
}
