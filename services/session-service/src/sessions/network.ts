import ipaddr from 'ipaddr.js';

/** Bits of an address that are kept: enough to tell one place from another, too few to tell who it was. */
const IPV4_PREFIX = 24;
const IPV6_PREFIX = 48;

/** The network of an address, `192.0.2.0/24`; undefined where the text is no address. */
export function networkOf(ip: string): string | undefined {
  if (!ipaddr.isValid(ip)) return undefined;
  const address = ipaddr.process(ip);
  return address.kind() === 'ipv4'
    ? `${ipaddr.IPv4.networkAddressFromCIDR(`${address}/${IPV4_PREFIX}`)}/${IPV4_PREFIX}`
    : `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${IPV6_PREFIX}`)}/${IPV6_PREFIX}`;
}
