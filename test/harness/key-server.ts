/** A server of published keys (JWKS), as an identity provider runs it, and tokens that are signed with them. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
  readonly published: JWK;
}

export async function createKey(kid: string, alg = 'RS256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, privateKey, published: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export interface KeyServer {
  readonly url: string;
  /** How often it was asked. */
  readonly fetches: number;
  publish(...keys: Key[]): void;
  /** What it answers from now on in place of keys; null: keys again. */
  fail(status: number | null): void;
}

export async function startKeyServer(...first: Key[]): Promise<KeyServer> {
  let keys = first;
  let failure: number | null = null;
  let fetches = 0;
  const server = createServer((_request, response) => {
    fetches += 1;
    response.writeHead(failure ?? 200, { 'content-type': 'application/json' });
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
    publish(...next) {
      keys = next;
    },
    fail(status) {
      failure = status;
    },
  };
}

/** So many seconds from now, as claims have it. */
export const secondsFromNow = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** Claims of somebody who gets in. A claim that is given as undefined is left out. */
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
