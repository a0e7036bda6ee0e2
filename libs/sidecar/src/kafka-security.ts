import { isIP } from 'node:net';
import type { ConnectionOptions } from '@platformatic/kafka';

/** How the brokers are reached: as `readKafkaSecurity` reads it from the environment, or as `@platformatic/kafka` takes it. */
export type KafkaSecurity = Pick<ConnectionOptions, 'tls' | 'sasl'>;

export function connectionOptions({ brokers, tls, sasl }: KafkaSecurity & { readonly brokers: readonly string[] }) {
  // A server of many tenants chooses its certificate by the name; an address is none.
  const named = brokers.every((broker) => isIP(broker.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')) === 0);
  return { ...(tls && { tls, tlsServerName: named }), ...(sasl && { sasl }) };
}
