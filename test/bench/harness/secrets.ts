/** Secrets that all servers of one run share. They are generated for each run. */
import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Role } from '../../../src/domain/access.ts';

const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;

export const SECRETS = {
  AUTH_SECRET: randomBytes(32).toString('hex'),
  AUTH_ISSUER: 'vkyc-bench',
  AUTH_AUDIENCE: 'vkyc-gateway',
  DATA_KEYS: key('bench'),
  AUDIT_KEYS: key('bench'),
} as const;

/** Returns a token with one role that stays valid for longer than any bench takes. */
export const tokenOf = (role: Role): Promise<string> =>
  new SignJWT({ roles: [role], verification_ids: [] })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(`bench-${role.toLowerCase()}`)
    .setIssuer(SECRETS.AUTH_ISSUER)
    .setAudience(SECRETS.AUTH_AUDIENCE)
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(new TextEncoder().encode(SECRETS.AUTH_SECRET));
