import type { Role } from '../operations.ts';
import { setup } from './setup.ts';

/** How this browser tab authenticates. Each tab has its own sign-in and keeps it until it is closed. */
export type SignIn =
  /** Development: requests without a token act as ADMIN. */
  | { readonly kind: 'DEVELOPER' }
  /** Development: the gateway issues a token for this role on demand. */
  | { readonly kind: 'ROLE'; readonly role: DevelopmentRole }
  | { readonly kind: 'TOKEN'; readonly token: string };

const STORAGE_KEY = 'vkyc.sign-in';

/** Role offered in development. CUSTOMER is not: its token has to name the sessions it may see. */
export type DevelopmentRole = Exclude<Role, 'CUSTOMER'>;

/** User id of each development role. They differ because one user may not both review and audit (four eyes). */
const DEVELOPMENT_USERS: Readonly<Record<DevelopmentRole, string>> = {
  VIEWER: 'vera',
  OPERATOR: 'olga',
  AGENT: 'ravi',
  AUDITOR: 'uma',
  ADMIN: 'ada',
};

export const DEVELOPMENT_ROLES = Object.keys(DEVELOPMENT_USERS) as DevelopmentRole[];

/** Returns the stored sign-in of this tab; null if the user has to sign in. */
export function rememberedSignIn(): SignIn | null {
  const kept = sessionStorage.getItem(STORAGE_KEY);
  if (kept) return JSON.parse(kept) as SignIn;
  return setup.signIn === 'ISSUED' ? { kind: 'DEVELOPER' } : null;
}

/** Stores the sign-in for this tab; null deletes it. */
export function rememberSignIn(signIn: SignIn | null): void {
  if (signIn) sessionStorage.setItem(STORAGE_KEY, JSON.stringify(signIn));
  else sessionStorage.removeItem(STORAGE_KEY);
}

/** Returns the access token to send; null if none is needed. @throws if the gateway issues no tokens */
export async function fetchToken(signIn: SignIn): Promise<string | null> {
  if (signIn.kind === 'DEVELOPER') return null;
  if (signIn.kind === 'TOKEN') return signIn.token;
  const answer = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub: DEVELOPMENT_USERS[signIn.role], roles: [signIn.role] }),
  });
  if (!answer.ok) throw new Error('This gateway does not issue tokens. Sign in with a token of your own.');
  return ((await answer.json()) as { token: string }).token;
}
