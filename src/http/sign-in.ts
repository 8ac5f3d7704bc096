import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { SignIn } from '../config.ts';
import { isStaff, ROLES, type Role, type Viewer } from '../domain/access.ts';
import type { Clock } from '../domain/ports.ts';
import { isStorable, LATEST_MS, UNSTORABLE } from '../domain/storable.ts';
import { canonicalSubject, isCanonicalSubject, NOT_CANONICAL } from '../domain/subject.ts';
import type { FailureLimit } from './failure-limit.ts';

/** How far the clock of who signs tokens may be from ours. */
export const CLOCK_SKEW_SECONDS = 30;
const DEVELOPMENT_TOKEN_LIFE = '12h';
/** HS256 alone for a shared secret; for published keys the usual asymmetric ones. Never `none`. */
const ASYMMETRIC = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/** How long a key that its owner has withdrawn may still be believed in, with what it signed. */
export const KEYS_KEPT_SECONDS = 300;
/** For how long the signature of a token that was good is not looked at again. Its end is, each time. */
export const TOKENS_KEPT_SECONDS = 30;
const MOST_TOKENS_KEPT = 10_000;
/** A token that names a key not known yet has the keys fetched anew, but no more often than this. */
export const KEYS_COOLDOWN_SECONDS = 30;
const KEYS_TIMEOUT_MS = 5_000;

const storable = z.string().refine(isStorable, UNSTORABLE);

/** `sub` and `verification_ids` are hashed, stored and compared with what is stored. */
export const SUBJECT = storable
  .min(1)
  .max(200)
  .refine(isCanonicalSubject, NOT_CANONICAL)
  .transform(canonicalSubject);
export const VERIFICATION_IDS = z.array(storable).default([]);

const claims = z.object({
  sub: SUBJECT,
  roles: z.array(z.string()).default([]),
  verification_ids: VERIFICATION_IDS,
  exp: z.number().optional(),
});

/** Anyone who is at the keyboard of a developer's machine. */
const DEVELOPER: Viewer = { id: 'developer', roles: ['ADMIN'], verificationIds: [], expiresAt: null };

/** Who a request's `Authorization` header (or a socket's parameter) stands for. */
export interface Authenticator {
  /**
   * Throws UNAUTHENTICATED, or RATE_LIMITED where that was said too often to the address of the request;
   * SERVICE_UNAVAILABLE where the keys cannot be had, which says nothing of the token.
   */
  viewerOf(authorization: unknown, request: IncomingMessage): Promise<Viewer>;
  /** Signs a token; null unless in development mode. */
  readonly issue:
    | ((claims: { sub: string; roles: string[]; verification_ids: string[] }) => Promise<string>)
    | null;
}

interface Parts {
  readonly signIn: SignIn;
  readonly clock: Clock;
  readonly failures: FailureLimit;
  /** Returns the names under which a customer is recorded; see `Viewer.pseudonyms`. */
  readonly pseudonymsOf: (sub: string) => readonly string[];
}

export function createAuthenticator({ signIn, clock, failures, pseudonymsOf }: Parts): Authenticator {
  const options = {
    algorithms: signIn.kind === 'JWKS' ? ASYMMETRIC : ['HS256'],
    clockTolerance: CLOCK_SKEW_SECONDS,
    // A token without an end could not be taken back; the machine of a developer is spared that.
    requiredClaims: signIn.kind === 'DEVELOPMENT' ? [] : ['exp'],
    ...('issuer' in signIn && signIn.issuer ? { issuer: signIn.issuer } : {}),
    ...('audience' in signIn && signIn.audience ? { audience: signIn.audience } : {}),
  };
  const key: JWTVerifyGetKey =
    signIn.kind === 'JWKS'
      ? createRemoteJWKSet(new URL(signIn.url), {
          cacheMaxAge: (KEYS_KEPT_SECONDS - TOKENS_KEPT_SECONDS) * 1000,
          cooldownDuration: KEYS_COOLDOWN_SECONDS * 1000,
          timeoutDuration: KEYS_TIMEOUT_MS,
        })
      : onceImported(signIn.secret);

  /** By the hashes of their tokens. Checking a signature takes a fifth of the time of a small request. */
  const known = new LRUCache<string, Viewer>({ max: MOST_TOKENS_KEPT, ttl: TOKENS_KEPT_SECONDS * 1000 });
  const isOver = ({ expiresAt }: Viewer) =>
    expiresAt !== null && expiresAt.getTime() + CLOCK_SKEW_SECONDS * 1000 <= clock.now().getTime();

  const named = (viewer: Viewer): Viewer =>
    isStaff(viewer) ? viewer : { ...viewer, pseudonyms: pseudonymsOf(viewer.id) };

  async function viewerOf(authorization: unknown): Promise<Viewer> {
    if (authorization === undefined || authorization === null || authorization === '') {
      if (signIn.kind === 'DEVELOPMENT') return DEVELOPER;
      throw unauthenticated('Send a token: Authorization: Bearer <token>.');
    }
    const [, token] = (typeof authorization === 'string' && authorization.match(/^Bearer +(\S+)$/i)) || [];
    if (!token) throw unauthenticated('The Authorization header must be of the form: Bearer <token>.');
    const name = hash('sha256', token, 'base64');
    const before = known.get(name);
    if (before && !isOver(before)) return before;
    const verified = await jwtVerify(token, key, { ...options, currentDate: clock.now() }).catch(
      (error: { code?: string }) => {
        if (!isOfTheToken(error)) throw keysUnavailable(error);
        const message = `The token is not acceptable (${error.code ?? 'ERR_JWT'}): get a new one.`;
        throw unauthenticated(message, error as Error);
      },
    );
    const viewer = named(viewerFrom(verified.payload));
    known.set(name, viewer);
    return viewer;
  }

  return {
    // A token that is good gets in whatever came from its address before: only failures are counted, once they are.
    viewerOf: (authorization, request) =>
      viewerOf(authorization).catch(async (error: GraphQLError) => {
        if (!isGuess(error)) throw error;
        const waitSeconds = await failures.count(request);
        throw waitSeconds === null ? error : tooManyFailures(waitSeconds);
      }),
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

/** A request's header. Of several Node takes the first, and whatever stands in front of it perhaps the last. */
export const authorizationOf = ({ raw }: FastifyRequest): string | undefined =>
  raw.headersDistinct.authorization?.join(', ');

function viewerFrom(payload: JWTPayload): Viewer {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) throw unauthenticated(describeClaims(parsed.error));
  const { sub, roles, verification_ids, exp } = parsed.data;
  return {
    id: sub,
    roles: roles.filter((role): role is Role => Object.hasOwn(ROLES, role)),
    verificationIds: verification_ids,
    expiresAt: exp === undefined ? null : new Date(Math.min(exp * 1000, LATEST_MS)),
  };
}

/** Names the first claim that is wrong, and what it must be. */
function describeClaims({ issues: [issue] }: z.ZodError): string {
  const claim = issue?.path[0];
  const what =
    issue?.code === 'custom' ? issue.message : (CLAIM_RULES[claim as keyof typeof CLAIM_RULES] ?? 'is wrong');
  return `The token's claim \`${String(claim)}\` ${what}: have it issued again.`;
}

const CLAIM_RULES = {
  sub: 'must be a text of 1 to 200 characters',
  roles: 'must be a list of texts',
  verification_ids: 'must be a list of texts',
  exp: 'must be a number',
};

/** To import it for each token would be half of what its check costs. */
function onceImported(secret: Buffer): JWTVerifyGetKey {
  const imported = crypto.subtle.importKey(
    'raw',
    new Uint8Array(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['verify'],
  );
  return () => imported;
}

/** A token that was good until its end is no guess: its owner is to hear that it is over, and comes with the next. */
const isGuess = ({ extensions, originalError }: GraphQLError): boolean =>
  extensions?.code === UNAUTHENTICATED && !(originalError instanceof errors.JWTExpired);

/** Whether the token is at fault, and not the server that should tell its key. */
const isOfTheToken = (error: unknown): boolean =>
  error instanceof errors.JOSEError &&
  !OF_THE_KEYS.some((kind) => error instanceof kind) &&
  error.code !== errors.JOSEError.code;

const OF_THE_KEYS = [errors.JWKSTimeout, errors.JWKSInvalid, errors.JWKInvalid];

const keysUnavailable = (cause: unknown): GraphQLError =>
  new GraphQLError('Tokens cannot be checked now, since their keys cannot be had: try again later.', {
    originalError: cause as Error,
    extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } },
  });

const UNAUTHENTICATED = 'UNAUTHENTICATED';

const unauthenticated = (message: string, originalError: Error | null = null): GraphQLError =>
  new GraphQLError(message, { originalError, extensions: { code: UNAUTHENTICATED, http: { status: 401 } } });

const tooManyFailures = (retryAfterSeconds: number): GraphQLError =>
  new GraphQLError(
    `Too many requests came from your address without a token that is good: try again in ${retryAfterSeconds} s. One that is good gets in at any time.`,
    { extensions: { code: 'RATE_LIMITED', retryAfterSeconds, http: { status: 429 } } },
  );
