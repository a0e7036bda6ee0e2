import { CurfewError } from '@curfew/contracts';
import type { App } from '@curfew/http';
import { Type } from 'typebox';
import type { ConsoleOptions } from '../app.ts';

/** How long the answer is held until every sidecar has it: longer than a lease, ms. */
const WAIT_MS = 10_000;

const RevokeBody = Type.Object(
  {
    subject: Type.String({ minLength: 1, maxLength: 256, description: 'The account whose sessions end' }),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
  },
  { additionalProperties: false },
);

/** `POST /api/revocations`: an operator revokes by a credential of their own, which goes on as it came. */
export function revokeRoute(app: App, { sessionService }: Pick<ConsoleOptions, 'sessionService'>): void {
  app.post(
    '/api/revocations',
    { schema: { summary: "End an account's sessions, and wait until that is so everywhere", body: RevokeBody } },
    async ({ headers: { authorization }, body: { subject, reason } }, reply) => {
      if (authorization === undefined) throw new CurfewError('client_unauthenticated');
      const { status, body } = await sessionService.ask(`/v1/revocations?wait=effective&timeoutMs=${WAIT_MS}`, {
        method: 'POST',
        authorization,
        body: { sub_id: { format: 'opaque', id: subject }, ...(reason === undefined ? {} : { reason }) },
        timeoutMs: WAIT_MS + 2000,
      });
      return reply
        .code(status)
        .type(status < 400 ? 'application/json' : 'application/problem+json')
        .send(body);
    },
  );
}
