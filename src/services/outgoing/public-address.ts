import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** First three bits of all IPv6 addresses that the internet routes (2000::/3). */
const GLOBAL_UNICAST = ipaddr.IPv6.parse('2000::');
const GLOBAL_UNICAST_BITS = 3;

/**
 * Whether an IP address is one of the public internet. All others are refused: private, loopback, link-local and
 * metadata addresses, and IPv6 forms that contain an IPv4 address (mapped, 6to4, NAT64, Teredo).
 */
export function isPublicIpAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_UNICAST, GLOBAL_UNICAST_BITS);
}

/** The host of an endpoint has an address that is not public, so that no connection was opened (SSRF). */
export class NonPublicAddressError extends Error {
  readonly code = 'ADDRESS_REFUSED';
  constructor() {
    super('the host has an address that is not public');
  }
}

/** Resolves a host name to all of its addresses, as `dns.lookup` does with `all`. */
export type ResolveAllAddresses = (
  host: string,
  options: LookupOptions & { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Creates the `lookup` of a socket: resolves a host name and refuses it if one of its addresses is not public. The
 * checked address is the one that the socket connects to, so that a name that resolves to another address a moment
 * later (DNS rebinding) gains nothing. Hosts in `allowedHosts` may have any address.
 */
export function createPublicAddressLookup(
  allowedHosts: ReadonlySet<string>,
  resolve: ResolveAllAddresses = lookup,
): LookupFunction {
  return (host, options, done) =>
    resolve(host, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first) return done(error ?? new Error('no address'), '', 0);
      if (!allowedHosts.has(host) && !addresses.every(({ address }) => isPublicIpAddress(address)))
        return done(new NonPublicAddressError(), '', 0);
      if (options.all) return done(null, addresses);
      done(null, first.address, first.family);
    });
}

/** Returns the host of a URL, without the brackets of an IPv6 address. */
export const getUnbracketedHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** Whether a host is written as an IP address that is not public. Sockets connect to such hosts without a lookup. */
export const isRefusedIpLiteral = (host: string, allowedHosts: ReadonlySet<string>): boolean =>
  isIP(host) !== 0 && !allowedHosts.has(host) && !isPublicIpAddress(host);
