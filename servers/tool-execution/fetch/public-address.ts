import ipaddr from 'ipaddr.js'

/** All that is handed out as global unicast; what lies outside, such as an IPv4 address behind zeros, leads somewhere else. */
const GLOBAL_V6 = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number]

/** Whether an IP address is one of the public internet: not loopback, private, link-local, shared, multicast, reserved, or a form of such. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  // An IPv4 address in IPv6 clothes is what it is inside; tunnels and translations (6to4, Teredo, NAT64) are not unicast here.
  const known = ipaddr.process(address)
  if (known.range() !== 'unicast') return false
  return known.kind() === 'ipv4' || (known as ipaddr.IPv6).match(GLOBAL_V6)
}
