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
 * Hears why connections end. A broker refuses a certificate only after the connection is made, and the library then tells
 * the requests that are under way no more than that it was closed. Where a connection fails, the library hears one error of
 * it and no other: the next one, which nobody hears, would end the process.
 */
export function onCut(
  client: Consumer | Producer<Buffer, Buffer, Buffer, Buffer>,
  listener: (error: Error) => void,
): void {
  for (const event of ['client:broker:connect', 'client:broker:failed'] as const)
    client.on(event, ({ connection }) => connection?.on('error', listener));
}
