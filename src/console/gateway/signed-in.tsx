import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from 'react';
import { type Role, VkycViewer, type VkycViewerQuery } from '../operations.ts';
import { Failure, Gateway } from './gateway.ts';
import { rememberedSignIn, rememberSignIn, type SignIn } from './sign-in.ts';

type Viewer = VkycViewerQuery['viewer'];

interface SignedIn {
  readonly gateway: Gateway;
  readonly viewer: Viewer;
  readonly signIn: SignIn;
  /** Acts as somebody else from now on; null: signs out. */
  become(signIn: SignIn | null): void;
}

const Context = createContext<SignedIn | null>(null);

/** As whom this window acts, and its gateway. */
export function useSignedIn(): SignedIn {
  const signedIn = use(Context);
  if (!signedIn) throw new Error('Nobody is signed in above this component');
  return signedIn;
}

/** Whether the viewer has one of these roles. */
export const useHasRole = (...roles: Role[]): boolean => {
  const { viewer } = useSignedIn();
  return roles.some((role) => viewer.roles.includes(role));
};

interface Props {
  readonly children: ReactNode;
  /** What those see who have not signed in; `why`: what was wrong with the last try. */
  readonly otherwise: (become: (signIn: SignIn) => void, why: string | null) => ReactNode;
}

/** Shows its children to those who have signed in. */
export function SignedInOnly({ children, otherwise }: Props) {
  const [signIn, setSignIn] = useState(rememberedSignIn);
  const [viewer, setViewer] = useState<Viewer | null>(null);
  const [why, setWhy] = useState<string | null>(null);

  const become = useCallback((next: SignIn | null) => {
    rememberSignIn(next);
    setViewer(null);
    setSignIn(next ?? rememberedSignIn());
  }, []);
  const gateway = useMemo(() => {
    const refused = (failure: Failure) => {
      setWhy(failure.message);
      become(null);
    };
    return signIn ? new Gateway(signIn, refused) : null;
  }, [signIn, become]);

  useEffect(() => {
    if (!gateway) return;
    let retrying: ReturnType<typeof setTimeout> | undefined;
    let closed = false;
    const ask = async () => {
      try {
        const answer = await gateway.query(VkycViewer, {});
        if (closed) return;
        setViewer(answer.viewer);
        setWhy(null);
      } catch (failure) {
        if (closed) return;
        setWhy((failure as Failure).message);
        if (failure instanceof Failure && failure.code) become(null);
        else retrying = setTimeout(ask, 2_000);
      }
    };
    void ask();
    return () => {
      closed = true;
      clearTimeout(retrying);
      gateway.close();
    };
  }, [gateway, become]);

  const value = useMemo(
    () => (gateway && viewer && signIn ? { gateway, viewer, signIn, become } : null),
    [gateway, viewer, signIn, become],
  );
  if (value) return <Context value={value}>{children}</Context>;
  return gateway ? <p role="status">{why ?? 'Signing in …'}</p> : otherwise(become, why);
}
