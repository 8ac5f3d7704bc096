import { useState } from 'react';
import type { SignIn } from '../gateway/sign-in.ts';
import { Button } from '../look/button.tsx';
import { Field, Form } from '../look/fields.tsx';
import style from './sign-in-page.module.css';

interface Props {
  readonly become: (signIn: SignIn) => void;
  /** What was wrong with the last try. */
  readonly why: string | null;
}

/** Where people bring their token. It stays in this window. */
export function SignInPage({ become, why }: Props) {
  const [token, setToken] = useState('');
  const bare = token.trim().replace(/^Bearer\s+/i, '');
  return (
    <main className={style.page}>
      <div className={style.card}>
        <h1>VKYC console</h1>
        <p>
          Sign in with an access token of your identity provider. It is kept by this window alone, until you
          close it.
        </p>
        {why && (
          <p role="alert" className={style.why}>
            {why}
          </p>
        )}
        <Form onSubmit={() => bare && become({ kind: 'TOKEN', token: bare })}>
          <Field
            label="Access token"
            inputType="password"
            autoComplete="off"
            value={token}
            onChange={setToken}
            autoFocus
          />
          <Button type="submit" look="primary" isDisabled={!bare}>
            Sign in
          </Button>
        </Form>
      </div>
    </main>
  );
}
