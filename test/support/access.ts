import { type Access, readClients } from '@curfew/http';
import { localClients } from '../../infra/local/clients.mjs';

/** The access of a service whose callers are the local stack's clients, with some of it otherwise. */
export const accessOf = (otherwise: Partial<Access> = {}): Access => ({
  clients: readClients(localClients()),
  audience: 'https://service.test',
  limits: { client: 1000, address: 1000 },
  trustedProxies: [],
  tls: undefined,
  ...otherwise,
});
