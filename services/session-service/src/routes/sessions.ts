import type { App } from '@curfew/http';
import type { Grant, Sessions, Standing } from '../sessions/sessions.ts';
import type { SessionRecord } from '../store/session-store.ts';
import { GrantReply, RefreshBody, RevocationReply, SessionReply, SidParams, SignInBody } from './session-bodies.ts';

/** `/v1/sessions`: create, refresh, read, end. */
export function sessionRoutes(app: App, sessions: Sessions): void {
  app.post(
    '/v1/sessions',
    { schema: { summary: 'Sign in: create a session', body: SignInBody, response: { 201: GrantReply } } },
    async ({ body: { client, roles = [], asOfVersion, after, ...signIn } }, reply) => {
      const order = { ...(asOfVersion === undefined ? {} : { asOfVersion }), ...(after ? { after } : {}) };
      const grant = await sessions.create({ ...signIn, ...client, roles }, order);
      return reply.code(201).header('cache-control', 'no-store').send(grantReply(grant));
    },
  );

  app.post(
    '/v1/sessions/refresh',
    { schema: { summary: 'Exchange a refresh token', body: RefreshBody, response: { 200: GrantReply } } },
    async ({ body }, reply) =>
      reply.header('cache-control', 'no-store').send(grantReply(await sessions.refresh(body.refreshToken))),
  );

  app.get(
    '/v1/sessions/:sid',
    { schema: { summary: 'Read a session', params: SidParams, response: { 200: SessionReply } } },
    async ({ params }) => {
      const { session, standing } = await sessions.read(params.sid);
      return sessionReply(session, standing);
    },
  );

  app.delete(
    '/v1/sessions/:sid',
    { schema: { summary: 'Log out: end one session', params: SidParams, response: { 202: RevocationReply } } },
    async ({ params }, reply) => reply.code(202).send(await sessions.end(params.sid)),
  );
}

const instant = (ms: number): string => new Date(ms).toISOString();
const versionOf = ({ s, t, r, at }: SessionRecord) => ({ s, t, r, at });

const grantReply = ({ session, accessToken, refreshToken, expiresAt }: Grant) => ({
  sid: session.sid,
  accessToken,
  refreshToken,
  expiresAt: instant(expiresAt),
  version: versionOf(session),
});

function sessionReply(session: SessionRecord, standing: Standing) {
  const { s: _s, t: _t, r: _r, at: _at, userAgent: _userAgent, ip: _ip, roles, amr, ...rest } = session;
  return {
    ...rest,
    roles: [...roles],
    ...(amr === undefined ? {} : { amr: [...amr] }),
    standing,
    createdAt: instant(session.createdAt),
    expiresAt: instant(session.expiresAt),
    version: versionOf(session),
  };
}
