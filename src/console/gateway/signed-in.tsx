import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from 'react';
import { TranslatedGatewayMessage } from '../language/gateway-text.tsx';
import { texts } from '../language/texts.ts';
import { type Role, VkycViewer, type VkycViewerQuery } from '../operations.ts';
import { GatewayClient, type GatewayError } from './gateway.ts';
import { readStoredSignIn, type SignInMethod, storeSignIn } from './sign-in.ts';

type Viewer = VkycViewerQuery['viewer'];

interface SignedIn {
  readonly gateway: GatewayClient;
  readonly viewer: Viewer;
  readonly signIn: SignInMethod;
  /** Signs in as another user; null signs out. */
  switchUser(signIn: SignInMethod | null): void;
}

const RETRY_DELAY_MS = 2_000;

const Context = createContext<SignedIn | null>(null);

/**
 * Hook that returns the signed-in user and their gateway client.
 * @throws Error if used outside of `SignedInOnly`
 */
export function useViewerAndGateway(): SignedIn {
  const signedIn = use(Context);
  if (!signedIn) throw new Error('useViewerAndGateway() was called outside of SignedInOnly');
  return signedIn;
}

/** Hook that returns whether the viewer has at least one of these roles. */
export const useHasAnyRole = (...roles: Role[]): boolean => {
  const { viewer } = useViewerAndGateway();
  return roles.some((role) => viewer.roles.includes(role));
};

interface Props {
  readonly children: ReactNode;
  /**
   * Renders the sign-in page. `why` is the error of the last attempt to sign in; null before the first
   * attempt.
   */
  readonly renderSignIn: (switchUser: (signIn: SignInMethod) => void, why: GatewayError | null) => ReactNode;
}

/** Renders its children once the user has signed in, and `renderSignIn` until then. */
export function SignedInOnly({ children, renderSignIn }: Props) {
  const [signIn, setSignIn] = useState(readStoredSignIn);
  const [known, setKnown] = useState<Pick<SignedIn, 'gateway' | 'viewer'> | null>(null);
  const [why, setWhy] = useState<GatewayError | null>(null);

  const switchUser = useCallback((next: SignInMethod | null) => {
    storeSignIn(next);
    setKnown(null);
    setSignIn(next ?? readStoredSignIn());
  }, []);

  useEffect(() => {
    if (!signIn) return;
    const refuse = (failure: GatewayError) => {
      setWhy(failure);
      switchUser(null);
    };
    const gateway = new GatewayClient(signIn, refuse);
    let retrying: ReturnType<typeof setTimeout> | undefined;
    let closed = false;
    const ask = async () => {
      const answer = await gateway.query(VkycViewer, {}).catch((failure: GatewayError) => failure);
      if (closed) return;
      if (!(answer instanceof Error)) {
        setWhy(null);
        setKnown({ gateway, viewer: answer.viewer });
      } else if (answer.code) refuse(answer);
      else {
        setWhy(answer);
        retrying = setTimeout(ask, RETRY_DELAY_MS);
      }
    };
    void ask();
    return () => {
      closed = true;
      clearTimeout(retrying);
      gateway.close();
    };
  }, [signIn, switchUser]);

  const value = useMemo(
    () => known && signIn && { ...known, signIn, switchUser },
    [known, signIn, switchUser],
  );
  if (value) return <Context value={value}>{children}</Context>;
  if (!signIn) return renderSignIn(switchUser, why);
  return <p role="status">{why ? <TranslatedGatewayMessage of={why} /> : texts.frame.signingIn}</p>;
}
