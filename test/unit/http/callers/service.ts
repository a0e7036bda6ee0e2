import { CurfewError } from '@curfew/contracts';
import { type Access, assertOwn, createApp } from '@curfew/http';
import { Type } from 'typebox';
import { accessOf } from '../../../support/access.ts';

/** A service with one route of each kind; each answers with who called. */
export async function serviceWith(otherwise: Partial<Access> = {}) {
  const app = await createApp({ name: 'test', logLevel: 'silent', notReady: () => [], access: accessOf(otherwise) });
  app.get('/read', { config: { scope: 'sessions:read' } }, ({ caller }) => caller);
  app.get('/open', { config: { caller: 'open' } }, ({ caller }) => ({ caller: caller ?? 'nobody' }));
  app.get(
    '/subjects/:sub',
    { config: { scope: 'sessions:read', own: true }, schema: { params: Type.Object({ sub: Type.String() }) } },
    ({ caller, params }) => {
      assertOwn(caller, params.sub);
      return caller;
    },
  );
  app.post('/json', { config: { scope: 'sessions:read' } }, ({ caller }) => caller);
  await app.register(async (forms) => {
    forms.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) =>
      body === 'broken'
        ? done(new CurfewError('body_invalid'))
        : done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    forms.post('/form', { config: { scope: 'sessions:read' } }, ({ caller }) => caller);
  });
  return app;
}

type Service = Awaited<ReturnType<typeof serviceWith>>;

/** What `GET /read`, or another route, answers to this `Authorization`: `200 login`, `401 client_unauthenticated`. */
export async function answerTo(app: Service, authorization: string | undefined, url = '/read'): Promise<string> {
  const reply = await app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
  const { client, subject, code } = reply.json();
  return `${reply.statusCode} ${client ?? subject ?? code}`;
}
