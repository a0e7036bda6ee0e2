import { type Access, type App, type AppOptions, createApp } from '@curfew/http';
import { type OAuthRoutes, oauthRoutes } from './routes/oauth.ts';
import { type RevocationRoutes, revocationRoutes } from './routes/revocations.ts';
import { type SessionRoutes, sessionRoutes } from './routes/sessions.ts';
import { type SubjectRoutes, subjectRoutes } from './routes/subjects.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { SigningKeys } from './sessions/signing-keys.ts';

export interface SessionServiceOptions
  extends Pick<AppOptions, 'notReady' | 'telemetry' | 'logLevel'>,
    Omit<SessionRoutes & SubjectRoutes & OAuthRoutes & RevocationRoutes, 'sessions'> {
  readonly access: Access;
  readonly sessions: Sessions;
  readonly keys: Pick<SigningKeys, 'jwks'>;
}

/** How long a client may keep the key set, seconds. */
const JWKS_MAX_AGE_S = 300;

/** The session service's HTTP side; it listens nowhere yet. */
export async function buildApp({ keys, ...options }: SessionServiceOptions): Promise<App> {
  const app = await createApp({ name: 'session-service', ...options });

  sessionRoutes(app, options);
  subjectRoutes(app, options);
  revocationRoutes(app, options);
  await oauthRoutes(app, options);

  app.get(
    '/.well-known/jwks.json',
    { config: { caller: 'open' }, schema: { summary: 'Keys that verify access tokens (RFC 7517)' } },
    (_, reply) => reply.header('cache-control', `public, max-age=${JWKS_MAX_AGE_S}`).send(keys.jwks),
  );
  return app;
}
