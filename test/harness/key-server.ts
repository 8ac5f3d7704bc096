/**
 * JWKS server, which publishes public keys like an identity provider, and tokens that are signed with the private keys.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';
import { atTheEnd } from './gateway.ts';

export interface Key {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  /** The public key as the server publishes it. */
  readonly published: JWK;
}

export async function createKey(kid: string, alg = 'ES256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, privateKey, published: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export interface KeyServer {
  readonly url: string;
  /** Number of requests for the keys so far. */
  readonly fetches: number;
  publish(...keys: Key[]): void;
  /** Makes the server respond with this status from now on. Null restores 200. */
  fail(status: number | null): void;
  /**
   * Makes the server respond with these chunks instead of the key set from now on. Null restores the key set.
   */
  send(body: Iterable<string> | null): void;
  /** Number of bytes that the server has written so far from the chunks given to `send`. */
  readonly sentBytes: number;
}

export async function startKeyServer(...first: Key[]): Promise<KeyServer> {
  let keys = first;
  let failure: number | null = null;
  let body: Iterable<string> | null = null;
  let fetches = 0;
  let sentBytes = 0;
  const server = createServer((_request, response) => {
    fetches += 1;
    response.writeHead(failure ?? 200, { 'content-type': 'application/json' });
    if (body) {
      const sent = new Transform({
        transform(chunk, _encoding, done) {
          sentBytes += chunk.length;
          done(null, chunk);
        },
      });
      pipeline(Readable.from(body), sent, response).catch(() => {});
      return;
    }
    response.end(JSON.stringify({ keys: keys.map(({ published }) => published) }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atTheEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    get fetches() {
      return fetches;
    },
    get sentBytes() {
      return sentBytes;
    },
    send(next) {
      body = next;
    },
    publish(...next) {
      keys = next;
    },
    fail(status) {
      failure = status;
    },
  };
}

/** Returns the time in this many seconds as a NumericDate claim (seconds since 1970). */
export const secondsFromNow = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** Returns valid claims, overridden by these. Claims that are undefined are left out of the token. */
export const claimsWith = (claims: object = {}): Record<string, unknown> => ({
  sub: 'ravi',
  roles: ['VIEWER'],
  iss: 'bank',
  aud: 'vkyc',
  exp: secondsFromNow(3600),
  ...claims,
});

export const signWith = (
  key: CryptoKey | Uint8Array,
  header: JWTHeaderParameters,
  claims = claimsWith(),
): Promise<string> => new SignJWT(claims).setProtectedHeader(header).sign(key);
