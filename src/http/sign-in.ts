import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { SignInConfig } from '../config.ts';
import { isStaff, ROLES, type Role, type Viewer } from '../domain/access.ts';
import type { Clock } from '../domain/ports.ts';
import { isStorableText, STORABLE_TIME_LIMIT_MS, UNSTORABLE_TEXT_MESSAGE } from '../domain/storable.ts';
import { canonicalizeSubject, isCanonicalSubject, NON_CANONICAL_SUBJECT_MESSAGE } from '../domain/subject.ts';
import type { FailedAttemptLimit } from './failed-attempt-limit.ts';
import {
  ASYMMETRIC_ALGORITHMS,
  createKeySetTokenVerifier,
  KeySetUnavailableError,
  type VerifyToken,
} from './key-set.ts';

/** Accepted difference in seconds between the clocks of the token issuer and of the gateway. */
export const MAX_CLOCK_SKEW_SECONDS = 30;
/** Default lifetime of a development token. */
const DEVELOPMENT_TOKEN_SECONDS = 12 * 3600;
export const MAX_DEVELOPMENT_TOKEN_LIFETIME_SECONDS = 30 * 24 * 3600;

/**
 * Time for which the viewer of a verified token is cached, so that a client's next requests need no
 * verification of the signature. The expiry is checked at every request.
 */
export const TOKEN_CACHE_SECONDS = 30;
const MAX_CACHED_TOKENS = 10_000;
/**
 * Maximum length of an authorization, equal to that of a WebSocket message, which may contain a token. HTTP
 * headers have a lower limit.
 */
const MAX_AUTHORIZATION_LENGTH = 64 * 1024;

const storable = z.string().refine(isStorableText, UNSTORABLE_TEXT_MESSAGE);

/**
 * Schemas of the claims `sub` and `verification_ids`. PostgreSQL must be able to store the values, because
 * they are stored, hashed and compared with stored values.
 */
export const subjectClaimSchema = storable
  .min(1)
  .max(200)
  .refine(isCanonicalSubject, NON_CANONICAL_SUBJECT_MESSAGE)
  .transform(canonicalizeSubject);
export const verificationIdsClaimSchema = z.array(storable).default([]);

const claims = z.object({
  sub: subjectClaimSchema,
  roles: z.array(z.string()).default([]),
  verification_ids: verificationIdsClaimSchema,
  exp: z.number().optional(),
});

/**
 * Viewer of requests without a token in development mode, in which only the developer's own machine can reach
 * the gateway.
 */
const DEVELOPER: Viewer = { id: 'developer', roles: ['ADMIN'], verificationIds: [], expiresAt: null };

/**
 * Authenticates a request by its `Authorization` header, or a WebSocket by the parameter `authorization` of
 * its first message or by the header of its upgrade request.
 */
export interface Authenticator {
  /**
   * Returns the viewer whom a valid token names.
   * @throws GraphQLError UNAUTHENTICATED if the token is not valid; RATE_LIMITED if the request's address has
   * sent too many invalid tokens; SERVICE_UNAVAILABLE if the keys cannot be fetched (the token may be valid)
   */
  viewerOf(authorization: unknown, request: IncomingMessage): Promise<Viewer>;
  /** Signs a development token; null unless the gateway is in development mode. */
  readonly issue: ((claims: DevelopmentTokenClaims) => Promise<string>) | null;
}

export interface DevelopmentTokenClaims {
  readonly sub: string;
  readonly roles: readonly string[];
  readonly verification_ids: readonly string[];
  /** Requested lifetime of the token in seconds. */
  readonly expiresIn?: number | undefined;
}

interface Options {
  readonly signIn: SignInConfig;
  /** Secret with which development tokens are signed. */
  readonly developmentSecret: Buffer;
  readonly clock: Clock;
  readonly failures: FailedAttemptLimit;
  readonly log: Logger;
  /** Returns the pseudonyms under which a customer is recorded in the database; see `Viewer.pseudonyms`. */
  readonly pseudonymsOf: (sub: string) => readonly string[];
}

export function createAuthenticator({
  signIn,
  developmentSecret,
  clock,
  failures,
  log,
  pseudonymsOf,
}: Options): Authenticator {
  const algorithms = signIn.kind === 'JWKS' ? ASYMMETRIC_ALGORITHMS : ['HS256'];
  const options = {
    algorithms,
    clockTolerance: MAX_CLOCK_SKEW_SECONDS,
    // Requires `exp`, because a token without `exp` would be valid for ever. Only development tokens may lack
    // it.
    requiredClaims: signIn.kind === 'DEVELOPMENT' ? [] : ['exp'],
    ...('issuer' in signIn && signIn.issuer ? { issuer: signIn.issuer } : {}),
    ...('audience' in signIn && signIn.audience ? { audience: signIn.audience } : {}),
  };
  const verify: VerifyToken =
    signIn.kind === 'JWKS'
      ? createKeySetTokenVerifier({ url: signIn.url, log })
      : createSecretVerifier(signIn.kind === 'SECRET' ? signIn.secret : developmentSecret);

  /**
   * Cache of viewers by the hash of their token. The cache pays off because verifying a signature takes a
   * fifth of the time of a small request.
   */
  const known = new LRUCache<string, Viewer>({ max: MAX_CACHED_TOKENS, ttl: TOKEN_CACHE_SECONDS * 1000 });
  const isOver = ({ expiresAt }: Viewer) =>
    expiresAt !== null && expiresAt.getTime() + MAX_CLOCK_SKEW_SECONDS * 1000 <= clock.now().getTime();

  const named = (viewer: Viewer): Viewer =>
    isStaff(viewer) ? viewer : { ...viewer, pseudonyms: pseudonymsOf(viewer.id) };

  async function viewerOf(authorization: unknown): Promise<Viewer> {
    if (authorization === undefined || authorization === null || authorization === '') {
      if (signIn.kind === 'DEVELOPMENT') return DEVELOPER;
      throw unauthenticated('The request has no token: send the header Authorization: Bearer <token>.');
    }
    const token = typeof authorization === 'string' ? findToken(authorization) : null;
    if (!token) throw unauthenticated('The Authorization header must have the form: Bearer <token>.');
    const name = hash('sha256', token, 'base64');
    const before = known.get(name);
    if (before && !isOver(before)) return before;
    const payload = await verify(token, { ...options, currentDate: clock.now() }).catch((error: Error) => {
      throw error instanceof errors.JOSEError
        ? unauthenticated(describeTokenError(error, algorithms), error)
        : keysUnavailable(error);
    });
    const viewer = named(toViewer(payload));
    known.set(name, viewer);
    return viewer;
  }

  return {
    // Verifies the token first, and counts only failures, so that a valid token is accepted even if its
    // address has had too many failures.
    viewerOf: (authorization, request) =>
      viewerOf(authorization).catch(async (error: GraphQLError) => {
        if (!countsAsFailedAttempt(error)) throw error;
        const waitSeconds = await failures.count(request);
        throw waitSeconds === null ? error : tooManyFailures(waitSeconds);
      }),
    issue:
      signIn.kind === 'DEVELOPMENT'
        ? ({ sub, roles, verification_ids, expiresIn = DEVELOPMENT_TOKEN_SECONDS }) =>
            new SignJWT({ roles, verification_ids })
              .setProtectedHeader({ alg: 'HS256' })
              .setSubject(sub)
              .setIssuedAt(clock.now())
              .setExpirationTime(new Date(clock.now().getTime() + expiresIn * 1000))
              .sign(new Uint8Array(developmentSecret))
        : null,
  };
}

/**
 * Returns a request's Authorization header. If the header was sent several times, its values are joined, so
 * that verification fails. Otherwise Node would use the first value, while a proxy may have checked the last
 * one.
 */
export const getAuthorizationHeader = ({ raw }: FastifyRequest): string | undefined =>
  raw.headersDistinct.authorization?.join(', ');

const findToken = (authorization: string): string | null =>
  (authorization.length <= MAX_AUTHORIZATION_LENGTH && authorization.match(/^Bearer +(\S+)$/i)?.[1]) || null;

function toViewer(payload: JWTPayload): Viewer {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) throw wrongClaim(describeClaims(parsed.error));
  const { sub, roles, verification_ids, exp } = parsed.data;
  const known = roles.filter((role): role is Role => Object.hasOwn(ROLES, role));
  if (roles.length > 0 && known.length === 0) throw wrongClaim(sayClaim('roles', UNKNOWN_ROLES));
  return {
    id: sub,
    roles: known,
    verificationIds: verification_ids,
    // Limits the expiry, because the claim may be a number that is too large for a Date.
    expiresAt: exp === undefined ? null : new Date(Math.min(exp * 1000, STORABLE_TIME_LIMIT_MS)),
  };
}

/**
 * Returns the message for a token with invalid claims. The message names the first invalid claim, and says
 * what it must be.
 */
function describeClaims({ issues: [issue] }: z.ZodError): string {
  const claim = issue?.path[0];
  const what =
    issue?.code === 'custom' ? issue.message : (CLAIM_RULES[claim as keyof typeof CLAIM_RULES] ?? 'is wrong');
  return sayClaim(String(claim), what);
}

const sayClaim = (claim: string, what: string): string =>
  `The token's claim \`${claim}\` ${what}: request a new token.`;

const UNKNOWN_ROLES = `contains none of the roles ${Object.keys(ROLES).join(', ')}`;

const CLAIM_RULES = {
  sub: 'must be a string of 1 to 200 characters',
  roles: 'must be a list of strings',
  verification_ids: 'must be a list of strings',
  exp: 'must be a number',
};

/**
 * Returns the message for a token that is not valid. The message says why, and repeats nothing from the
 * token, which is a secret.
 */
function describeTokenError(error: errors.JOSEError, algorithms: readonly string[]): string {
  const hint =
    error instanceof errors.JOSEAlgNotAllowed
      ? `; its algorithm must be one of ${algorithms.join(', ')}`
      : error instanceof errors.JWTClaimValidationFailed && CHECKED_CLAIMS.includes(error.claim)
        ? `; its claim \`${error.claim}\` is ${error.reason === 'missing' ? 'missing' : 'wrong'}`
        : '';
  return `The token is invalid (${error.code}${hint}): request a new token.`;
}

/** Claims that jose checks itself. For any other invalid claim, the message is built by `describeClaims`. */
const CHECKED_CLAIMS = ['iss', 'aud', 'exp', 'nbf', 'iat'];

/**
 * Creates a function that verifies tokens which are signed with a shared secret. The secret is imported only
 * once, because importing it takes as long as verifying a token.
 */
function createSecretVerifier(secret: Buffer): VerifyToken {
  const key = crypto.subtle.importKey(
    'raw',
    new Uint8Array(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['verify'],
  );
  return async (token, options) => (await jwtVerify(token, await key, options)).payload;
}

/**
 * Cause of the error for a token with a valid signature but an invalid claim. Such a token was issued, not
 * guessed; its issuer must correct the claim.
 */
class WrongClaim extends Error {}
const wrongClaim = (message: string): GraphQLError => unauthenticated(message, new WrongClaim(message));

/**
 * Whether a failed sign-in counts as an attempt to guess a token. Expired tokens and tokens with an invalid
 * claim do not count, so that their owners always learn what is wrong.
 */
const countsAsFailedAttempt = ({ extensions, originalError }: GraphQLError): boolean =>
  extensions?.code === UNAUTHENTICATED &&
  !(originalError instanceof errors.JWTExpired || originalError instanceof WrongClaim);

const keysUnavailable = (cause: Error): GraphQLError =>
  new GraphQLError(
    'Tokens cannot be verified now, because the verification keys could not be fetched: try again later.',
    {
      originalError: cause,
      extensions: {
        code: 'SERVICE_UNAVAILABLE',
        retryAfterSeconds: cause instanceof KeySetUnavailableError ? cause.retryAfterSeconds : 1,
        http: { status: 503 },
      },
    },
  );

const UNAUTHENTICATED = 'UNAUTHENTICATED';

const unauthenticated = (message: string, originalError: Error | null = null): GraphQLError =>
  new GraphQLError(message, { originalError, extensions: { code: UNAUTHENTICATED, http: { status: 401 } } });

const tooManyFailures = (retryAfterSeconds: number): GraphQLError =>
  new GraphQLError(
    `Too many requests from your address had no valid token (rate limit): try again in ${retryAfterSeconds} s. Requests with a valid token are not limited by this.`,
    { extensions: { code: 'RATE_LIMITED', retryAfterSeconds, http: { status: 429 } } },
  );
