/**
 * Public keys (JWKS) of an identity provider: fetches them at a limited rate and size, caches them, and
 * verifies tokens with them.
 */
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { Logger } from 'pino';

/**
 * Time for which a fetched key set is used. A key that the identity provider has withdrawn is accepted for at
 * most this long (and for TOKEN_CACHE_SECONDS more on tokens that were verified before), as long as the key
 * server answers.
 */
export const KEY_SET_CACHE_SECONDS = 270;
/**
 * Minimum time between two fetches, if the last fetch succeeded. This time limits the load on the key server,
 * because every token with an unknown key id asks for a new fetch.
 */
export const KEY_FETCH_COOLDOWN_SECONDS = 30;
/** Minimum time between two fetches, if the last fetch failed. */
export const KEY_FETCH_RETRY_SECONDS = 2;
/** While the key server fails, the last key set is used for this long after it was fetched. */
export const MAX_STALE_KEYS_SECONDS = 24 * 3600;
/** Maximum size of a key set after decompression: enough for about 500 RSA keys. */
export const MAX_KEY_SET_BYTES = 256 * 1024;
const MAX_KEYS = 100;
/**
 * Maximum number of keys that are tried on a token without a key id, so that such tokens cannot cost much CPU
 * time. Only keys that fit the token's algorithm are tried.
 */
const MAX_KEYS_TRIED = 8;
const FETCH_TIMEOUT_MS = 5_000;

/**
 * Accepted signature algorithms. HMAC algorithms are missing, because a public key must never be used as an
 * HMAC secret (algorithm confusion).
 */
export const ASYMMETRIC_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Thrown if the keys could not be fetched, or may not be fetched again yet. The token may be valid. */
export class KeySetUnavailableError extends Error {
  override readonly name = 'KeySetUnavailableError';
  constructor(
    message: string,
    readonly retryAfterSeconds: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Verifies a token and returns its claims.
 * @throws KeySetUnavailableError, or an error of jose if the token is not valid
 */
export type VerifyToken = (token: string, options: JWTVerifyOptions) => Promise<JWTPayload>;

interface Keys {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  readonly ids: ReadonlySet<unknown>;
  readonly fetchedAtMs: number;
}

/**
 * Returns a function that verifies tokens with the key set at a URL. The keys are fetched when a token is
 * verified, not in advance.
 */
export function createKeySetTokenVerifier({
  url,
  log,
}: {
  readonly url: string;
  readonly log: Logger;
}): VerifyToken {
  let keys: Keys | null = null;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let failure: unknown = null;
  let fetching: Promise<void> | null = null;

  /**
   * Milliseconds of a monotonic clock. With the system clock, setting it back would stop fetches until it has
   * caught up.
   */
  const now = () => performance.now();
  const isOlderThan = (atMs: number, seconds: number) => now() - atMs >= seconds * 1000;
  const waitSeconds = () => (failure ? KEY_FETCH_RETRY_SECONDS : KEY_FETCH_COOLDOWN_SECONDS);
  const mayFetch = () => fetching !== null || isOlderThan(triedAtMs, waitSeconds());
  const retryAfterSeconds = () => Math.max(1, Math.ceil((triedAtMs + waitSeconds() * 1000 - now()) / 1000));

  /**
   * Fetches the key set; concurrent callers share one fetch. The promise never rejects: after a failure, the
   * last key set stays in use.
   */
  const fetchKeys = (): Promise<void> => {
    fetching ??= readKeySet(url)
      .then(
        (read) => {
          keys = { ...read, fetchedAtMs: now() };
          failure = null;
        },
        (error: unknown) => {
          failure = error;
          log.warn(
            { reason: describeReason(error), kept: keys !== null },
            'could not fetch usable keys from AUTH_JWKS_URL; retrying',
          );
        },
      )
      .finally(() => {
        triedAtMs = now();
        fetching = null;
      });
    return fetching;
  };

  const currentKeys = async (): Promise<Keys> => {
    if (!keys || isOlderThan(keys.fetchedAtMs, KEY_SET_CACHE_SECONDS)) {
      // If the last fetch failed, verifies with the last key set instead of waiting for the new fetch,
      // because the key server may hang.
      const waits = !keys || !failure;
      const fetched = mayFetch() ? fetchKeys() : null;
      if (waits) await fetched;
    }
    if (keys && !isOlderThan(keys.fetchedAtMs, MAX_STALE_KEYS_SECONDS)) return keys;
    throw new KeySetUnavailableError('could not fetch the keys', retryAfterSeconds(), { cause: failure });
  };

  return async (token, options) => {
    const before = await currentKeys();
    try {
      return await verifyWith(before, token, options);
    } catch (error) {
      if (!mayBeOfNewKey(error, before, token)) throw error;
      if (keys === before && mayFetch()) await fetchKeys();
      const after = keys as Keys | null;
      if (!after || after === before)
        throw new KeySetUnavailableError('the key of the token is not known yet', retryAfterSeconds(), {
          cause: error,
        });
      return verifyWith(after, token, options);
    }
  };
}

/** Whether the verification may have failed because the token's key was published after the last fetch. */
function mayBeOfNewKey(error: unknown, { ids }: Keys, token: string): boolean {
  const isUnknown = error instanceof errors.JWKSNoMatchingKey;
  if (!isUnknown && !(error instanceof errors.JWSSignatureVerificationFailed)) return false;
  const { kid } = decodeProtectedHeader(token);
  // If the key id is known, a new fetch cannot help. A token without a key id may be signed by a new key,
  // which shows only as an invalid signature.
  return kid === undefined || (isUnknown && typeof kid === 'string' && !ids.has(kid));
}

async function verifyWith({ find }: Keys, token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, find, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let tried = 0;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (inner) {
        if (!(inner instanceof errors.JWSSignatureVerificationFailed)) throw inner;
      }
      tried += 1;
      if (tried >= MAX_KEYS_TRIED) break;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

async function readKeySet(url: string): Promise<Omit<Keys, 'fetchedAtMs'>> {
  const response = await fetch(url, {
    redirect: 'manual',
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    headers: { accept: 'application/json, application/jwk-set+json' },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the key server answered with status ${response.status}`);
  }
  const set = JSON.parse(await readBounded(response)) as JSONWebKeySet;
  if (!Array.isArray(set?.keys)) throw new Error('the answer contains no list of keys');
  if (set.keys.length > MAX_KEYS) throw new Error(`the key set has more than ${MAX_KEYS} keys`);
  const usable = (await Promise.all(set.keys.map(toUsable))).filter((key) => key !== null);
  if (usable.length === 0) throw new Error('the answer contains no usable key');
  return { find: createLocalJWKSet({ keys: usable }), ids: new Set(usable.map(({ kid }) => kid)) };
}

async function readBounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Counts the bytes while reading, because a Content-Length may be missing or wrong. An error thrown in this
  // loop cancels the body.
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > MAX_KEY_SET_BYTES) throw new Error(`the key set has more than ${MAX_KEY_SET_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Imports a published key; null if it cannot verify tokens. */
async function toUsable(given: JWK): Promise<JWK | null> {
  try {
    // EdDSA and Ed25519 (RFC 9864) are two names of one algorithm. `alg` is removed, so that the key verifies
    // tokens with either name.
    const { alg, ...unnamed } = given;
    const isEd25519 = given.kty === 'OKP' && given.crv === 'Ed25519';
    const key = isEd25519 ? unnamed : given;
    const imported = await importJWK(key, alg ?? ALGORITHM_OF.get(String(given.crv ?? given.kty)));
    return 'type' in imported && imported.type === 'public' ? key : null;
  } catch {
    return null;
  }
}

/** Algorithm with which a published key is imported if the key names none, by its key type or curve. */
const ALGORITHM_OF: ReadonlyMap<string, string> = new Map([
  ['RSA', 'RS256'],
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
  ['Ed25519', 'EdDSA'],
]);

/**
 * Returns why a fetch failed, as text for the log. The text contains neither the URL, which may include a
 * credential, nor anything that the server sent.
 */
function describeReason(error: unknown): string {
  if (error instanceof SyntaxError) return 'the answer is not JSON';
  const { name, message, cause } = error as Error;
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (name === 'TimeoutError') return 'the key server did not answer in time';
  return typeof code === 'string' ? code : message;
}
