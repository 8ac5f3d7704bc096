import type { Role } from '../operations.ts';
import { setup } from './setup.ts';

/** As whom this window acts. Each window has its own, and keeps it until it is closed. */
export type SignIn =
  /** Development, where whoever has no token is an ADMIN. */
  | { readonly kind: 'DEVELOPER' }
  /** Development: a token is made for this role whenever one is needed. */
  | { readonly kind: 'ROLE'; readonly role: DevelopmentRole }
  | { readonly kind: 'TOKEN'; readonly token: string };

const STORAGE_KEY = 'vkyc.sign-in';

/** A role that development may take on; a customer needs a token that names their sessions. */
export type DevelopmentRole = Exclude<Role, 'CUSTOMER'>;

/** People of development, so that an agent and an auditor are two. */
const DEVELOPMENT_USERS: Readonly<Record<DevelopmentRole, string>> = {
  VIEWER: 'vera',
  OPERATOR: 'olga',
  AGENT: 'ravi',
  AUDITOR: 'uma',
  ADMIN: 'ada',
};

export const DEVELOPMENT_ROLES = Object.keys(DEVELOPMENT_USERS) as DevelopmentRole[];

/** As whom this window acted last; null: nobody has signed in. */
export function rememberedSignIn(): SignIn | null {
  const kept = sessionStorage.getItem(STORAGE_KEY);
  if (kept) return JSON.parse(kept) as SignIn;
  return setup.signIn === 'ISSUED' ? { kind: 'DEVELOPER' } : null;
}

/** Keeps it for this window, or forgets it. */
export function rememberSignIn(signIn: SignIn | null): void {
  if (signIn) sessionStorage.setItem(STORAGE_KEY, JSON.stringify(signIn));
  else sessionStorage.removeItem(STORAGE_KEY);
}

/** What the gateway is shown; null where it wants nothing. Rejects where no token can be had. */
export async function fetchToken(signIn: SignIn): Promise<string | null> {
  if (signIn.kind === 'DEVELOPER') return null;
  if (signIn.kind === 'TOKEN') return signIn.token;
  const answer = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub: DEVELOPMENT_USERS[signIn.role], roles: [signIn.role] }),
  });
  if (!answer.ok) throw new Error('This gateway makes no tokens: sign in with one of yours.');
  return ((await answer.json()) as { token: string }).token;
}
