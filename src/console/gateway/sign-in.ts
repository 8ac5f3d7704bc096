import { texts } from '../language/texts.ts';
import type { Role } from '../operations.ts';
import { pageSettings } from './setup.ts';

/** How a browser tab authenticates. Each tab has its own sign-in, which is kept until the tab is closed. */
export type SignInMethod =
  /** In development: requests have no token, and the gateway treats the user as ADMIN. */
  | { readonly kind: 'DEVELOPER' }
  /** In development: the gateway issues a token for this role whenever one is needed. */
  | { readonly kind: 'ROLE'; readonly role: DevelopmentRole }
  | { readonly kind: 'TOKEN'; readonly token: string };

const STORAGE_KEY = 'vkyc.sign-in';

/**
 * Roles that can be chosen in development. CUSTOMER is missing, because the token of a customer must name the
 * sessions that the customer may see.
 */
export type DevelopmentRole = Exclude<Role, 'CUSTOMER'>;

/**
 * User id of each development role. The ids differ, because one user may not record both reviews of a session
 * (four-eyes rule).
 */
const DEVELOPMENT_USERS: Readonly<Record<DevelopmentRole, string>> = {
  VIEWER: 'vera',
  OPERATOR: 'olga',
  AGENT: 'ravi',
  AUDITOR: 'uma',
  ADMIN: 'ada',
};

export const DEVELOPMENT_ROLES = Object.keys(DEVELOPMENT_USERS) as DevelopmentRole[];

/** Returns this tab's stored sign-in; null if the user has to sign in first. */
export function readStoredSignIn(): SignInMethod | null {
  return (
    parseSignIn(sessionStorage.getItem(STORAGE_KEY)) ??
    (pageSettings.signIn === 'ISSUED' ? { kind: 'DEVELOPER' } : null)
  );
}

/** Reads a stored sign-in; null for anything else. Otherwise the console could not be opened until the tab is closed. */
function parseSignIn(text: string | null): SignInMethod | null {
  try {
    const kept = JSON.parse(text ?? 'null');
    if (kept?.kind === 'DEVELOPER') return { kind: 'DEVELOPER' };
    if (kept?.kind === 'TOKEN' && typeof kept.token === 'string') return { kind: 'TOKEN', token: kept.token };
    const isRole = kept?.kind === 'ROLE' && DEVELOPMENT_ROLES.includes(kept.role);
    return isRole ? { kind: 'ROLE', role: kept.role } : null;
  } catch {
    return null;
  }
}

/** Stores the sign-in of this tab in `sessionStorage`; null deletes it. */
export function storeSignIn(signIn: SignInMethod | null): void {
  if (signIn) sessionStorage.setItem(STORAGE_KEY, JSON.stringify(signIn));
  else sessionStorage.removeItem(STORAGE_KEY);
}

/**
 * Returns the token to send: for TOKEN the pasted one, for ROLE a new one that the gateway issues; null for DEVELOPER,
 * which needs none.
 * @throws Error if the gateway issues no token
 */
export async function obtainAccessToken(signIn: SignInMethod): Promise<string | null> {
  if (signIn.kind === 'DEVELOPER') return null;
  if (signIn.kind === 'TOKEN') return signIn.token;
  const answer = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub: DEVELOPMENT_USERS[signIn.role], roles: [signIn.role] }),
  });
  if (!answer.ok) throw new Error(texts.frame.noTokensIssued);
  return ((await answer.json()) as { token: string }).token;
}
