import { useState } from 'react';
import type { GatewayError } from '../gateway/gateway.ts';
import type { SignInMethod } from '../gateway/sign-in.ts';
import { TranslatedGatewayMessage } from '../language/gateway-text.tsx';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { Field, Form } from '../look/fields.tsx';
import style from './sign-in-page.module.css';

interface Props {
  readonly switchUser: (signIn: SignInMethod) => void;
  /** Error of the last attempt to sign in; null before the first attempt. */
  readonly why: GatewayError | null;
}

/**
 * Page on which the user pastes an access token. The token is kept in `sessionStorage`, so that only this
 * browser tab has it.
 */
export function SignInPage({ switchUser, why }: Props) {
  const [token, setToken] = useState('');
  const bareToken = token.trim().replace(/^Bearer\s+/i, '');
  return (
    <main className={style.page}>
      <div className={style.card}>
        <h1>{texts.frame.consoleName}</h1>
        <p>{texts.frame.signInHint}</p>
        {why && (
          <p role="alert" className={style.why}>
            <TranslatedGatewayMessage of={why} />
          </p>
        )}
        <Form onSubmit={() => bareToken && switchUser({ kind: 'TOKEN', token: bareToken })}>
          <Field
            label={texts.frame.accessToken}
            inputType="password"
            autoComplete="off"
            value={token}
            onChange={setToken}
            autoFocus
          />
          <Button type="submit" look="primary" isDisabled={!bareToken}>
            {texts.frame.signIn}
          </Button>
        </Form>
      </div>
    </main>
  );
}
