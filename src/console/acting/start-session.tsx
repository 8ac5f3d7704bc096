import { useState } from 'react';
import { useLocation } from 'wouter';
import { setup } from '../gateway/setup.ts';
import { useSignedIn } from '../gateway/signed-in.tsx';
import type { Row } from '../live/rows.ts';
import { Button } from '../look/button.tsx';
import { CopyButton } from '../look/copy.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Field, Form, Select } from '../look/fields.tsx';
import { Notice } from '../look/notice.tsx';
import { VkycStartSession, type VkycStartSessionMutation } from '../operations.ts';
import style from './dialogs.module.css';
import { MutationNotice, useMutation } from './mutation.tsx';

interface Props {
  readonly onClose: () => void;
  readonly onStarted: (row: Row) => void;
  /** Session that the new session replaces, such as an expired one. */
  readonly replaces?: Row;
}

type Started = Extract<VkycStartSessionMutation['startSession'], { __typename: 'StartSessionSuccess' }>;

const FIELDS = ['verificationId', 'phone', 'name', 'email'];
const shortId = () => crypto.randomUUID().slice(0, 8);

/** Dialog that starts a session, and then shows the link for the customer. */
export function StartSessionDialog({ onClose, onStarted, replaces }: Props) {
  const { gateway } = useSignedIn();
  const [, navigate] = useLocation();
  const mutation = useMutation<VkycStartSessionMutation['startSession']>();
  const [started, setStarted] = useState<Started | null>(null);
  const [stem, setStem] = useState(() => `kyc-${shortId()}`);
  const [scenario, setScenario] = useState('');
  const [user, setUser] = useState({ phone: '', name: '', email: '' });
  const verificationId = scenario ? `${stem}.${scenario}` : stem;

  const start = () => {
    const input = {
      verificationId,
      user: {
        phone: user.phone,
        ...(user.name && { name: user.name }),
        ...(user.email && { email: user.email }),
      },
      ...(replaces && { replacesSessionId: replaces.id }),
    };
    const call = async () => (await gateway.mutate(VkycStartSession, { input })).startSession;
    void mutation.run(call, input, (success) => {
      onStarted(success.session);
      setStarted(success);
    });
  };

  if (started)
    return (
      <Dialog title="Session started" onClose={onClose}>
        {started.replayed && (
          <Notice tone="trouble">This session had already been started. No new session was created.</Notice>
        )}
        {started.session.link ? (
          <>
            <p>Share this link with the customer.</p>
            <p className={style.link}>
              <code>{started.session.link}</code>
              <CopyButton text={started.session.link} what="link" />
            </p>
          </>
        ) : (
          <p>
            {started.session.statusInfo.explanation} {started.session.statusInfo.recommendedAction}
          </p>
        )}
        <div className={style.buttons}>
          <Button onPress={onClose}>Close</Button>
          <Button
            look="primary"
            onPress={() => navigate(`/sessions/${encodeURIComponent(started.session.id)}`)}
          >
            Go to session
          </Button>
        </div>
      </Dialog>
    );

  return (
    <Dialog
      title={replaces ? `Start a new session to replace ${replaces.verificationId}` : 'Start a session'}
      onClose={onClose}
    >
      <Form problems={mutation.problems} onSubmit={start}>
        <Field
          label="Verification ID"
          name="verificationId"
          value={stem}
          onChange={setStem}
          maxLength={50}
          hint={scenario ? `Will be ${verificationId}` : '1 to 50 characters: A-Z a-z 0-9 . _ -'}
        />
        <Field
          label="Phone"
          name="phone"
          inputType="tel"
          autoFocus
          placeholder="9988776655"
          value={user.phone}
          onChange={(phone) => setUser({ ...user, phone })}
        />
        <Field
          label="Name (optional)"
          name="name"
          value={user.name}
          onChange={(name) => setUser({ ...user, name })}
        />
        <Field
          label="Email (optional)"
          name="email"
          inputType="email"
          value={user.email}
          onChange={(email) => setUser({ ...user, email })}
        />
        {setup.scenarios && (
          <div>
            <Select
              label="Sandbox scenario"
              options={scenarioNames(setup.scenarios)}
              value={scenario}
              onChange={setScenario}
            />
            <p>
              <small>{setup.scenarios[scenario] ?? setup.scenarios['awaits-review']}</small>
            </p>
          </div>
        )}
        <MutationNotice mutation={mutation} fields={FIELDS} />
        <div className={style.buttons}>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" look="primary" isPending={mutation.pending}>
            Start
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

const scenarioNames = (scenarios: Readonly<Record<string, string>>): Record<string, string> => ({
  '': 'Default',
  ...Object.fromEntries(Object.keys(scenarios).map((name) => [name, name])),
});
