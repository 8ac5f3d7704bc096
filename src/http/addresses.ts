import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** How many proxies stand before the gateway, or their addresses and networks (`10.0.0.0/8`). */
export type TrustedProxies = number | readonly string[];

/** Where a request comes from, as what is counted by address counts it. */
export type AddressOf = (request: IncomingMessage) => string;

const IPV6_BITS = 128;
const IPV4_BITS = 32;
/** Whoever has one IPv6 address has a network of so many bits of them. */
const IPV6_GROUPS_OF_A_NETWORK = 4;

/**
 * Goes back through X-Forwarded-For, which anybody can send, only as far as those who wrote it are trusted: each entry
 * was written by who comes after it. Without trust in anybody it is the peer's own address.
 */
export function createAddressOf(trusted: TrustedProxies): AddressOf {
  const isTrusted = typeof trusted === 'number' ? (_: string, hop: number) => hop < trusted : within(trusted);
  return ({ socket, headers }) => {
    const said = String(headers['x-forwarded-for'] ?? '').split(',');
    const hops = [socket.remoteAddress ?? '', ...said.map((entry) => entry.trim()).reverse()];
    let hop = 0;
    while (isIP(hops[hop + 1] ?? '') && isTrusted(hops[hop] as string, hop)) hop += 1;
    return networkOf(hops[hop] as string);
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

/** An IPv4 address itself, however it is written; of an IPv6 address its network. */
function networkOf(address: string): string {
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
