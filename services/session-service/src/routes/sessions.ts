import { CurfewError, DEFAULT_TIER } from '@curfew/contracts';
import { type App, assertOwn } from '@curfew/http';
import { networkOf } from '../sessions/network.ts';
import type { Renewals, Shown } from '../sessions/renewals.ts';
import { assertUxFits, type Sessions } from '../sessions/sessions.ts';
import type { SignInOrder, SignIns } from '../sessions/sign-ins.ts';
import { assertMayEnd, ownerOf } from './own-sessions.ts';
import {
  GrantReply,
  ReauthenticateBody,
  RefreshBody,
  RevocationReply,
  SessionReply,
  SidParams,
  SignInBody,
  UxBody,
} from './session-bodies.ts';
import { grantReply, sessionReply } from './session-replies.ts';

export interface SessionRoutes {
  readonly signIns: Pick<SignIns, 'create' | 'reauthenticate'>;
  readonly renewals: Pick<Renewals, 'renew'>;
  readonly sessions: Pick<Sessions, 'read' | 'end' | 'setUx'>;
}

/** Tokens and ids are in the answer: nobody keeps it. */
const NO_STORE = ['cache-control', 'no-store'] as const;

/** `/v1/sessions`: create, renew, replace, read, change, end. */
export function sessionRoutes(app: App, { signIns, renewals, sessions }: SessionRoutes): void {
  app.post(
    '/v1/sessions',
    {
      config: { scope: 'sessions:write' },
      schema: { summary: 'Sign in: create a session', body: SignInBody, response: { 201: GrantReply } },
    },
    async ({ body, caller }, reply) => {
      const { client: { ip, ...client } = {}, roles = [], tier = DEFAULT_TIER, mode = 'bearer', ...rest } = body;
      const { asOfVersion, after, ...signIn } = rest;
      assertUxFits(signIn.ux);
      const network = ip === undefined ? undefined : networkOf(ip);
      if (ip !== undefined && network === undefined) throw new CurfewError('body_invalid', 'client.ip is no address');
      const where = network === undefined ? client : { ...client, ip: network };
      const by = caller !== undefined && 'client' in caller ? { clientId: caller.client } : {};
      const session = { ...signIn, ...where, ...by, roles, tier, mode };
      const grant = await signIns.create(session, orderOf({ asOfVersion, after }));
      return reply
        .code(201)
        .header(...NO_STORE)
        .send(grantReply(grant));
    },
  );

  app.post(
    '/v1/sessions/refresh',
    {
      config: { caller: 'open' },
      schema: { summary: 'Renew a session', body: RefreshBody, response: { 200: GrantReply } },
    },
    async ({ body }, reply) => reply.header(...NO_STORE).send(grantReply(await renewals.renew(shownIn(body)))),
  );

  app.post(
    '/v1/sessions/reauthenticate',
    {
      config: { scope: 'sessions:write' },
      schema: {
        summary: 'The subject showed a credential again: a session with a new id takes the place of the old one',
        body: ReauthenticateBody,
        response: { 201: GrantReply },
      },
    },
    async ({ body: { refreshToken, cookie, asOfVersion, after, ...change } }, reply) => {
      const order = orderOf({ asOfVersion, after });
      const grant = await signIns.reauthenticate(shownIn({ refreshToken, cookie }), change, order);
      return reply
        .code(201)
        .header(...NO_STORE)
        .send(grantReply(grant));
    },
  );

  app.get(
    '/v1/sessions/:sid',
    {
      config: { scope: 'sessions:read', own: true },
      schema: { summary: 'Read a session', params: SidParams, response: { 200: SessionReply } },
    },
    async ({ caller, params }) => {
      const read = await sessions.read(params.sid);
      assertOwn(caller, read.session.subject);
      return sessionReply(read);
    },
  );

  app.patch(
    '/v1/sessions/:sid',
    {
      config: { scope: 'sessions:write', own: true },
      schema: {
        summary: 'Set what a user interface keeps with a session',
        params: SidParams,
        body: UxBody,
        response: { 200: SessionReply },
      },
    },
    async ({ caller, params: { sid }, body }) => {
      await ownerOf(caller, sid, sessions);
      await sessions.setUx(sid, body.ux);
      return sessionReply(await sessions.read(sid));
    },
  );

  app.delete(
    '/v1/sessions/:sid',
    {
      config: { scope: 'sessions:write', own: true },
      schema: { summary: 'Log out: end one session', params: SidParams, response: { 202: RevocationReply } },
    },
    async ({ caller, params: { sid } }, reply) => {
      const owner = await ownerOf(caller, sid, sessions);
      if (owner !== undefined) assertMayEnd(caller, owner, sid);
      return reply.code(202).send(await sessions.end(sid));
    },
  );
}

/** @throws CurfewError `body_invalid` */
function shownIn({ refreshToken, cookie }: { refreshToken?: string | undefined; cookie?: string | undefined }): Shown {
  if (refreshToken !== undefined && cookie === undefined) return { refreshToken };
  if (cookie !== undefined && refreshToken === undefined) return { cookie };
  throw new CurfewError('body_invalid', 'the body names either a refreshToken or a cookie');
}

const orderOf = ({
  asOfVersion,
  after,
}: {
  asOfVersion: number | undefined;
  after: SignInOrder['after'] | undefined;
}): SignInOrder => ({
  ...(asOfVersion === undefined ? {} : { asOfVersion }),
  ...(after === undefined ? {} : { after }),
});
