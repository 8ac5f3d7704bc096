import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/**
 * Which proxies in front of the gateway are trusted: their number, or their addresses and networks
 * (`10.0.0.0/8`).
 */
export type TrustedProxies = number | readonly string[];

/** Returns the client address of a request. Rate limits count requests by this address. */
export type FindClientAddress = (request: IncomingMessage) => string;

const IPV6_BITS = 128;
const IPV4_BITS = 32;
/**
 * Length of the network part of an IPv6 address, in groups of 16 bits. IPv6 clients are counted by their /64
 * network, because one client usually owns a whole /64.
 */
const IPV6_GROUPS_OF_A_NETWORK = 4;

/**
 * Creates a function that finds a request's client address. Each entry of X-Forwarded-For was written by the
 * next hop, and clients may forge the first entries, so the list is read from its end, as long as the hops
 * are trusted proxies. Without trusted proxies, the result is the address of the connection.
 */
export function createClientAddressFinder(trusted: TrustedProxies): FindClientAddress {
  const isTrusted = typeof trusted === 'number' ? (_: string, hop: number) => hop < trusted : within(trusted);
  return ({ socket, headers }) => {
    const forwarded = String(headers['x-forwarded-for'] ?? '').split(',');
    const hops = [socket.remoteAddress ?? '', ...forwarded.map((entry) => entry.trim()).reverse()];
    let hop = 0;
    while (isIP(hops[hop + 1] ?? '') && isTrusted(hops[hop] as string, hop)) hop += 1;
    return getNetwork(hops[hop] as string);
  };
}

function within(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address, bits] = network.split('/') as [string, string?];
    const isV6 = isIP(address) === 6;
    list.addSubnet(
      address,
      bits === undefined ? (isV6 ? IPV6_BITS : IPV4_BITS) : Number(bits),
      isV6 ? 'ipv6' : 'ipv4',
    );
  }
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Returns the network by which an address is counted: the /64 of an IPv6 address; an IPv4 address itself,
 * even if it is written as IPv6 (`::ffff:`).
 */
function getNetwork(address: string): string {
  const [, ipv4] = address.match(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i) ?? [];
  if (ipv4 || isIP(address) !== 6) return ipv4 ?? address;
  const [written = '', , end] = new URL(`http://[${address.replace(/%.*/, '')}]`).hostname
    .slice(1, -1)
    .split(/(::)/);
  const head = written.split(':').filter(Boolean);
  const tail = (end ?? '').split(':').filter(Boolean);
  const zeros = Array(8 - head.length - tail.length).fill('0');
  return [...head, ...zeros, ...tail].slice(0, IPV6_GROUPS_OF_A_NETWORK).join(':');
}
