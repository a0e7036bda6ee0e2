import { CurfewError } from '@curfew/contracts';
import type { RevocationReport } from '@curfew/contracts/reports';
import type { App } from '@curfew/http';
import { Type } from 'typebox';
import type { ConsoleOptions } from '../app.ts';

const Id = Type.String({ minLength: 1, maxLength: 256 });
const Revocations = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    subject: Type.Optional(Id),
    session: Type.Optional(Id),
    tenant: Type.Optional(Id),
    canaries: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

const path = (...parts: readonly string[]) => `/${parts.map(encodeURIComponent).join('/')}`;

/** `/api/revocations`, `/api/subjects`, `/api/sessions`, `/api/search`: what is remembered of one thing. */
export function lookupRoutes(app: App, { sessionService }: Pick<ConsoleOptions, 'sessionService'>): void {
  const read = <T = unknown>(of: string) => sessionService.read<T>(of);
  const revocationsOf = async (query: Readonly<Record<string, string>>) =>
    (await read<{ revocations: RevocationReport[] }>(`/v1/revocations?${new URLSearchParams(query)}`)).revocations;

  const subject = async (sub: string) => {
    const [version, sessions, revocations] = await Promise.all([
      read<{ current: number }>(path('v1', 'subjects', sub, 'version')),
      read<{ sessions: unknown[] }>(path('v1', 'subjects', sub, 'sessions')),
      revocationsOf({ subject: sub }),
    ]);
    return { subject: sub, version, sessions: sessions.sessions, revocations };
  };
  const session = async (sid: string) => {
    const [found, revocations] = await Promise.all([
      absent(read(path('v1', 'sessions', sid))),
      revocationsOf({ session: sid }),
    ]);
    if (found === undefined && revocations.length === 0) throw new CurfewError('session_not_found');
    return { sid, session: found, revocations };
  };

  app.get(
    '/api/revocations',
    { schema: { summary: 'List revocations, newest first', querystring: Revocations } },
    async ({ query }) => ({
      revocations: await revocationsOf(
        Object.fromEntries(Object.entries(query).map(([name, value]) => [name, `${value}`])),
      ),
    }),
  );

  app.get(
    '/api/revocations/:id',
    { schema: { summary: 'Where one revocation is effective', params: Type.Object({ id: Id }) } },
    ({ params }) => read(path('v1', 'revocations', params.id)),
  );

  app.get(
    '/api/subjects/:sub',
    { schema: { summary: "An account's version, sessions and revocations", params: Type.Object({ sub: Id }) } },
    ({ params }) => subject(params.sub),
  );

  app.get(
    '/api/sessions/:sid',
    { schema: { summary: 'A session and what ended it', params: Type.Object({ sid: Id }) } },
    ({ params }) => session(params.sid),
  );

  app.get(
    '/api/search',
    { schema: { summary: 'What an id may be', querystring: Type.Object({ q: Id }) } },
    async ({ query: { q } }) => {
      const [revocation, ofSession, ofSubject] = await Promise.all([
        absent(read<RevocationReport>(path('v1', 'revocations', q))),
        absent(session(q)),
        absent(subject(q)),
      ]);
      const known =
        ofSubject &&
        (ofSubject.version.current > 0 || ofSubject.sessions.length > 0 || ofSubject.revocations.length > 0);
      return {
        found: [
          ...(revocation ? [{ kind: 'revocation', id: q }] : []),
          ...(ofSession ? [{ kind: 'session', id: q }] : []),
          ...(known ? [{ kind: 'subject', id: q }] : []),
        ],
      };
    },
  );
}

/** What is asked for, or undefined where there is no such thing. */
const absent = <T>(asked: Promise<T>): Promise<T | undefined> =>
  asked.catch((error) => {
    if (error instanceof CurfewError && error.status === 404) return undefined;
    throw error;
  });
