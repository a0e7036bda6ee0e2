import { isIP } from 'node:net';
import type { ConnectionOptions, Consumer, Producer } from '@platformatic/kafka';

/** How the brokers are reached: as `readKafkaSecurity` reads it from the environment, or as `@platformatic/kafka` takes it. */
export type KafkaSecurity = Pick<ConnectionOptions, 'tls' | 'sasl'>;

export function connectionOptions({ brokers, tls, sasl }: KafkaSecurity & { readonly brokers: readonly string[] }) {
  // A server of many tenants chooses its certificate by the name; an address is none.
  const named = brokers.every((broker) => isIP(broker.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')) === 0);
  return { ...(tls && { tls, tlsServerName: named }), ...(sasl && { sasl }) };
}

/**
 * Hears why connections end that were made before: a broker refuses a certificate only afterwards, and the library tells
 * the requests that are under way no more than that the connection was closed.
 */
export function onCut(
  client: Consumer | Producer<Buffer, Buffer, Buffer, Buffer>,
  listener: (error: Error) => void,
): void {
  client.on('client:broker:connect', ({ connection }) => connection?.on('error', listener));
}
