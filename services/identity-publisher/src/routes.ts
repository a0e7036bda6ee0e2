import type { App } from '@curfew/http';
import type { Publisher } from '@curfew/publisher';
import {
  AccountDisabledBody,
  AccountEnabledBody,
  PasswordChangedBody,
  PublishedReply,
  RolesChangedBody,
  SetBody,
} from './bodies.ts';

/** What the routes need of a publisher. */
export type AccountEvents = Pick<
  Publisher,
  'publish' | 'passwordChanged' | 'accountDisabled' | 'accountEnabled' | 'rolesChanged' | 'notReady'
>;

/** Whoever may publish an account event may end sessions. */
const config = { scope: 'events:write' } as const;
const response = { 202: PublishedReply };

/** `POST /v1/…`: one route for each kind of account event, answered when the bus has acknowledged it. */
export function accountEventRoutes(app: App, publisher: AccountEvents): void {
  app.post(
    '/v1/account-events',
    { config, schema: { summary: 'Publish a Security Event Token', body: SetBody, response } },
    async ({ body }, reply) => reply.code(202).send(await publisher.publish(body)),
  );

  app.post(
    '/v1/password-changed',
    {
      config,
      schema: { summary: "End an account's sessions: its password changed", body: PasswordChangedBody, response },
    },
    async ({ body }, reply) => reply.code(202).send(await publisher.passwordChanged(body)),
  );

  app.post(
    '/v1/account-disabled',
    {
      config,
      schema: { summary: "End an account's sessions, and allow no new ones", body: AccountDisabledBody, response },
    },
    async ({ body }, reply) => reply.code(202).send(await publisher.accountDisabled(body)),
  );

  app.post(
    '/v1/account-enabled',
    { config, schema: { summary: 'Allow new sessions again', body: AccountEnabledBody, response } },
    async ({ body }, reply) => reply.code(202).send(await publisher.accountEnabled(body)),
  );

  app.post(
    '/v1/roles-changed',
    {
      config,
      schema: { summary: "Make an account's sessions renew, with new roles", body: RolesChangedBody, response },
    },
    async ({ body }, reply) => reply.code(202).send(await publisher.rolesChanged(body)),
  );
}
