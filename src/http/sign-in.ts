import { GraphQLError } from 'graphql';
import { createRemoteJWKSet, type JWTPayload, type JWTVerifyGetKey, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { SignIn } from '../config.ts';
import { ROLES, type Role, type Viewer } from '../domain/access.ts';
import type { Clock } from '../domain/ports.ts';

/** How far the clock of who signs tokens may be from ours. */
export const CLOCK_SKEW_SECONDS = 30;
const DEVELOPMENT_TOKEN_LIFE = '12h';
/** HS256 alone for a shared secret; for published keys the usual asymmetric ones. Never `none`. */
const ASYMMETRIC = ['RS256', 'PS256', 'ES256', 'EdDSA'];

const claims = z.object({
  sub: z.string().min(1).max(200),
  roles: z.array(z.string()).default([]),
  verification_ids: z.array(z.string()).default([]),
  exp: z.number().optional(),
});

/** Anyone who is at the keyboard of a developer's machine. */
const DEVELOPER: Viewer = { id: 'developer', roles: ['ADMIN'], verificationIds: [], expiresAt: null };

/** Who a request's `Authorization` header (or a socket's parameter) stands for. */
export interface Authenticator {
  /** Throws UNAUTHENTICATED. */
  viewerOf(authorization: string | undefined): Promise<Viewer>;
  /** Signs a token; null unless in development mode. */
  readonly issue:
    | ((claims: { sub: string; roles: string[]; verification_ids: string[] }) => Promise<string>)
    | null;
}

export function createAuthenticator(signIn: SignIn, clock: Clock): Authenticator {
  const options = {
    algorithms: signIn.kind === 'JWKS' ? ASYMMETRIC : ['HS256'],
    clockTolerance: CLOCK_SKEW_SECONDS,
    ...('issuer' in signIn && signIn.issuer ? { issuer: signIn.issuer } : {}),
    ...('audience' in signIn && signIn.audience ? { audience: signIn.audience } : {}),
  };
  const key: JWTVerifyGetKey =
    signIn.kind === 'JWKS'
      ? createRemoteJWKSet(new URL(signIn.url))
      : async () => new Uint8Array(signIn.secret);

  return {
    async viewerOf(authorization) {
      if (!authorization) {
        if (signIn.kind === 'DEVELOPMENT') return DEVELOPER;
        throw unauthenticated('Send a token: Authorization: Bearer <token>.');
      }
      const [, token] = authorization.match(/^Bearer +(\S+)$/i) ?? [];
      if (!token) throw unauthenticated('The Authorization header must be of the form: Bearer <token>.');
      const verified = await jwtVerify(token, key, { ...options, currentDate: clock.now() }).catch(
        (error: { code?: string }) => {
          throw unauthenticated(`The token is not acceptable (${error.code ?? 'ERR_JWT'}): get a new one.`);
        },
      );
      return viewerFrom(verified.payload);
    },
    issue:
      signIn.kind === 'DEVELOPMENT'
        ? ({ sub, roles, verification_ids }) =>
            new SignJWT({ roles, verification_ids })
              .setProtectedHeader({ alg: 'HS256' })
              .setSubject(sub)
              .setIssuedAt(clock.now())
              .setExpirationTime(DEVELOPMENT_TOKEN_LIFE)
              .sign(new Uint8Array(signIn.secret))
        : null,
  };
}

function viewerFrom(payload: JWTPayload): Viewer {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) throw unauthenticated('The token lacks `sub`, or its claims are of the wrong types.');
  const { sub, roles, verification_ids, exp } = parsed.data;
  return {
    id: sub,
    roles: roles.filter((role): role is Role => Object.hasOwn(ROLES, role)),
    verificationIds: verification_ids,
    expiresAt: exp === undefined ? null : new Date(exp * 1000),
  };
}

const unauthenticated = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } } });
