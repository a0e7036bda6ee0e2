import { createHash } from 'node:crypto';

/** @typedef {'login' | 'admin' | 'identity' | 'console' | 'operator'} LocalClient */

/**
 * Who may call the services of the local stack. The secrets stand here for all to see: they are for a machine of your
 * own and nothing else. In production a client signs assertions, or has a certificate.
 *
 * @type {Readonly<Record<LocalClient, { readonly secret: string, readonly scopes: readonly string[] }>>}
 */
const LOCAL_CLIENTS = {
  login: { secret: 'login-of-the-local-stack-only', scopes: ['sessions:read', 'sessions:write'] },
  admin: { secret: 'admin-of-the-local-stack-only', scopes: ['sessions:read', 'revocations:write'] },
  identity: { secret: 'identity-of-the-local-stack-only', scopes: ['events:write'] },
  console: { secret: 'console-of-the-local-stack-only', scopes: ['sessions:read'] },
  operator: { secret: 'operator-of-the-local-stack-only', scopes: ['sessions:read', 'revocations:write'] },
};

/** As `CURFEW_CLIENTS` takes them. */
export const localClients = () =>
  JSON.stringify(
    Object.entries(LOCAL_CLIENTS).map(([id, { secret, scopes }]) => ({
      id,
      scopes,
      secretSha256: createHash('sha256').update(secret).digest('base64url'),
    })),
  );

/** `id:secret` of a client, as the console and the command take it. @param {LocalClient} client */
export const credentialOf = (client) => `${client}:${LOCAL_CLIENTS[client].secret}`;

/** The `Authorization` of a client (RFC 6749, section 2.3.1). @param {LocalClient} client */
export const authorizationOf = (client) => `Basic ${Buffer.from(credentialOf(client)).toString('base64')}`;
