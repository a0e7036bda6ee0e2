import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Client, Clients } from './clients.ts';

/** The client whose certificate this connection was opened with, where an authority that the service trusts signed it. */
export function clientOfCertificate({ byCertificate }: Clients, socket: Socket): Client | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  return certificate && byCertificate.get(createHash('sha256').update(certificate.raw).digest('base64url'));
}
