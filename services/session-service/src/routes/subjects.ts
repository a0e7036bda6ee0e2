import { type App, assertOwn } from '@curfew/http';
import type { Sessions } from '../sessions/sessions.ts';
import type { VersionStore } from '../store/version-store.ts';
import { assertMayEnd } from './own-sessions.ts';
import { EndAllQuery, RevocationReply, SessionsReply, SubjectParams, VersionReply } from './session-bodies.ts';
import { sessionReply } from './session-replies.ts';

export interface SubjectRoutes {
  readonly sessions: Pick<Sessions, 'ofSubject' | 'endAll'>;
  readonly versions: Pick<VersionStore, 'read'>;
}

/** `/v1/subjects`: what concerns a whole account. */
export function subjectRoutes(app: App, { sessions, versions }: SubjectRoutes): void {
  app.get(
    '/v1/subjects/:sub/version',
    {
      config: { scope: 'sessions:read' },
      schema: { summary: "Read an account's version", params: SubjectParams, response: { 200: VersionReply } },
    },
    async ({ params: { sub } }) => {
      const { subject, blocked } = await versions.read(sub);
      return { subject: sub, ...subject, blocked };
    },
  );

  app.get(
    '/v1/subjects/:sub/sessions',
    {
      config: { scope: 'sessions:read', own: true },
      schema: { summary: "List an account's sessions", params: SubjectParams, response: { 200: SessionsReply } },
    },
    async ({ caller, params: { sub } }) => {
      assertOwn(caller, sub);
      return { sessions: (await sessions.ofSubject(sub)).map(sessionReply) };
    },
  );

  app.delete(
    '/v1/subjects/:sub/sessions',
    {
      config: { scope: 'sessions:write', own: true },
      schema: {
        summary: 'Log out everywhere, or everywhere else',
        params: SubjectParams,
        querystring: EndAllQuery,
        response: { 202: RevocationReply },
      },
    },
    async ({ caller, params, query }, reply) => {
      assertMayEnd(caller, params.sub);
      return reply.code(202).send(await sessions.endAll(params.sub, query.except));
    },
  );
}
