import type { RevocationReport, SidecarReport } from '@curfew/contracts';
import { createApp, sendProblem } from '@curfew/http';
import { accessOf } from './access.ts';

/** What the fake answers: tests change it as they go. */
export interface FakeAnswers {
  sidecars: readonly SidecarReport[];
  revocations: readonly RevocationReport[];
  metrics: string;
  notReady: readonly string[];
  /** Sessions by their sid. */
  sessions: Readonly<Record<string, { readonly subject: string }>>;
  versions: Readonly<Record<string, number>>;
}

/** The routes of a session service that the console asks, by the local stack's clients, on a free port. */
export async function startFakeSessionService(answers: FakeAnswers) {
  const app = await createApp({
    name: 'session-service',
    logLevel: 'silent',
    access: accessOf(),
    notReady: () => answers.notReady,
  });
  const config = { scope: 'sessions:read' } as const;
  const posted: unknown[] = [];
  app.get('/v1/sidecars', { config }, () => ({ sidecars: answers.sidecars }));
  app.get('/v1/revocations', { config }, ({ query }) => {
    const { subject, session, canaries } = query as Record<string, string>;
    const scope = subject === undefined ? `s:${session}` : `u:${subject}`;
    const all = subject === undefined && session === undefined;
    return {
      revocations: answers.revocations.filter(
        (one) => (all || one.scopes.includes(scope)) && (canaries === 'true' || one.canary !== true),
      ),
    };
  });
  app.get<{ Params: { id: string } }>('/v1/revocations/:id', { config }, ({ params }, reply) => {
    const found = answers.revocations.find(({ id }) => id === params.id);
    return found ?? sendProblem(reply, 'revocation_not_found');
  });
  app.get<{ Params: { sid: string } }>('/v1/sessions/:sid', { config }, ({ params }, reply) => {
    const session = answers.sessions[params.sid];
    return session ? { sid: params.sid, ...session } : sendProblem(reply, 'session_not_found');
  });
  app.get<{ Params: { sub: string } }>('/v1/subjects/:sub/version', { config }, ({ params: { sub } }) => ({
    subject: sub,
    current: answers.versions[sub] ?? 0,
    floor: answers.versions[sub] ?? 0,
    blocked: false,
  }));
  app.get<{ Params: { sub: string } }>('/v1/subjects/:sub/sessions', { config }, ({ params: { sub } }) => ({
    sessions: Object.entries(answers.sessions).flatMap(([sid, one]) => (one.subject === sub ? [{ sid, ...one }] : [])),
  }));
  app.post('/v1/revocations', { config: { scope: 'revocations:write' } }, ({ body, query }) => {
    posted.push({ body, query });
    return answers.revocations[0];
  });
  app.addHook('onSend', async (request, reply, payload) => {
    if (!request.url.startsWith('/metrics')) return payload;
    reply.code(200).type('text/plain');
    return answers.metrics;
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url, posted, close: () => app.close() };
}
