/** Recognises unsafe settings: secrets that can be guessed, networks that are too large, hosts outside private networks. */
import { BlockList, isIP } from 'node:net';
import { deflateRawSync } from 'node:zlib';

/**
 * Minimum estimated entropy of a secret that the operator chooses. The estimate for a key of 128 random bits,
 * in hexadecimal, is 100 bits or more.
 */
const MIN_SECRET_BITS = 90;
/**
 * Minimum estimated entropy of a secret that the provider chooses. Lower than for the operator's own secrets,
 * so that a short random secret passes; words do not.
 */
const MIN_PROVIDER_SECRET_BITS = 60;
const MIN_PASSWORD_BITS = 30;
/**
 * Estimated entropy of a word in a sentence, in bits: below the 13 bits of a word chosen by dice (Diceware), because
 * the words of a sentence depend on each other.
 */
const BITS_OF_A_WORD = 9;

/**
 * Words that are often a placeholder for a secret, or part of one. These words add nothing to the estimated
 * entropy.
 */
const COMMON_WORDS =
  /change|replace|secret|passw(or)?d|example|placeholder|default|signing|super|private|token|admin|postgres|gateway|vkyc|cashfree|jwt|auth|key|test|demo|production|development|local|please|0?123456(789?)?0?|abcdef|qwerty/gi;

/** Whether a secret that signs tokens can be guessed. */
export const isWeakTokenSecret = (secret: string): boolean => estimateBits(secret) < MIN_SECRET_BITS;

export const isWeakProviderSecret = (secret: string): boolean =>
  estimateBits(secret) < MIN_PROVIDER_SECRET_BITS;

export const isWeakPassword = (password: string): boolean => estimateBits(password) < MIN_PASSWORD_BITS;

/** Whether a key's bytes are clearly not random: they repeat, count up, or are text. */
export const isWeakKey = (key: Buffer): boolean =>
  key.every((byte) => byte >= 0x20 && byte < 0x7f) || estimateBits(key.toString('latin1')) < MIN_SECRET_BITS;

/**
 * Estimates the entropy of a text in bits from its characters, repetitions and words. The estimate is an upper
 * bound: a low value proves that a secret is bad, a high value proves nothing.
 */
function estimateBits(text: string): number {
  const unusual = text.replace(COMMON_WORDS, ' ').trim();
  const words = unusual.split(/[\s_.,-]+/);
  if (words.every((word) => /^([a-z]{0,12}|\d{1,4})$/i.test(word)) && words.length > 1)
    return new Set(words).size * BITS_OF_A_WORD;
  if (isSequence(unusual)) return 0;
  // Compressing the text with deflate removes repetitions, so that a repeated part counts only once.
  const length = Math.min(unusual.length, deflateRawSync(Buffer.from(unusual, 'latin1')).length);
  return length * bitsOfACharacter(unusual);
}

function bitsOfACharacter(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce(
    (sum, count) => sum - (count / text.length) * Math.log2(count / text.length),
    0,
  );
}

/** Returns whether most characters follow from the character before, as in `abcdef` or `0000`. */
function isSequence(text: string): boolean {
  let following = 0;
  for (let index = 1; index < text.length; index += 1)
    if (Math.abs(text.charCodeAt(index) - text.charCodeAt(index - 1)) <= 1) following += 1;
  return following * 2 >= text.length;
}

/**
 * Returns the ids that more than one key has. A stored value names its key only by the id, so ids must be
 * unique.
 */
export function findRepeatedKeyIds(ids: readonly string[]): string[] {
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
}

/**
 * Shortest prefixes of networks that may be trusted as proxies: an operator does not own all hosts of a larger
 * network.
 */
const MIN_IPV4_PREFIX = 8;
const MIN_IPV6_PREFIX = 16;
/** Prefix of IPv4-mapped IPv6 addresses: `::ffff:0:0/96` contains all of IPv4. */
const IPV4_MAPPED_BITS = 96;
const MAPPED = subnets(['::ffff:0:0/96']);
const UNIQUE_LOCAL = subnets(['fc00::/7']);
const UNIQUE_LOCAL_PREFIX = 7;

/** Whether a network, such as `0.0.0.0/0`, is larger than a network that one operator can own. */
export function isTooLargeNetwork(network: string): boolean {
  const [address = '', bits] = network.split('/');
  if (bits === undefined) return false;
  const prefix = Number(bits);
  if (isIP(address) === 4) return prefix < MIN_IPV4_PREFIX;
  if (MAPPED.check(address, 'ipv6')) return prefix < IPV4_MAPPED_BITS + MIN_IPV4_PREFIX;
  return prefix < (UNIQUE_LOCAL.check(address, 'ipv6') ? UNIQUE_LOCAL_PREFIX : MIN_IPV6_PREFIX);
}

const PRIVATE_NETWORKS = subnets([
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8', '169.254.0.0/16', '100.64.0.0/10'],
  ...['::1/128', 'fc00::/7', 'fe80::/10'],
]);
/** Host names that public DNS does not resolve: a single label, or a name under a private top-level domain. */
const PRIVATE_NAME = /^[^.]+\.?$|\.(local|localhost|internal|intranet|lan|corp|svc|home\.arpa)\.?$/i;

/**
 * Whether a host is on a private network, judged by its address or name. Undefined means a Unix socket, which
 * counts as private.
 */
export function isPrivateHost(host: string | undefined): boolean {
  if (host === undefined || host.startsWith('/')) return true;
  const family = isIP(host);
  return family === 0
    ? PRIVATE_NAME.test(host)
    : PRIVATE_NETWORKS.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function subnets(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
