import type { Scope } from './clients.ts';

const SCHEMES = {
  clientSecret: { type: 'http', scheme: 'basic', description: 'Id and secret of a client (RFC 6749, section 2.3.1)' },
  clientAssertion: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An assertion signed by a client, good once and for 5 minutes at the most (RFC 7523)',
  },
  clientCertificate: { type: 'mutualTLS', description: 'The certificate of a client (RFC 8705)' },
  ownToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'at+jwt',
    description: 'The access token of a user, for what is their own (RFC 9068)',
  },
};

/** How a caller shows who it is. The types that go with it do not know `mutualTLS` of OpenAPI 3.1. */
export const SECURITY_SCHEMES = SCHEMES as unknown as Readonly<Record<string, never>>;

/** The credentials that a route takes, any one of them, each with the scope that it needs; none where it is open. */
export function securityOf(scope: Scope | undefined, own: boolean | undefined): Record<string, string[]>[] {
  if (scope === undefined) return [];
  const ofClients = [{ clientSecret: [scope] }, { clientAssertion: [scope] }, { clientCertificate: [scope] }];
  return own === true ? [...ofClients, { ownToken: [] }] : ofClients;
}
