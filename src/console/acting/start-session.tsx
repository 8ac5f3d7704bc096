import { useState } from 'react';
import { useLocation } from 'wouter';
import { pageSettings } from '../gateway/setup.ts';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { TranslatedGatewayText } from '../language/gateway-text.tsx';
import { texts } from '../language/texts.ts';
import type { Row } from '../live/rows.ts';
import { Button } from '../look/button.tsx';
import { CopyButton } from '../look/copy.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Field, Form, Select } from '../look/fields.tsx';
import { Notice } from '../look/notice.tsx';
import { VkycStartSession, type VkycStartSessionMutation } from '../operations.ts';
import style from './dialogs.module.css';
import { MutationFailureNotice, useMutation } from './mutation.tsx';

interface Props {
  readonly onClose: () => void;
  readonly onStarted: (row: Row) => void;
}

export type StartSuccess = Extract<
  VkycStartSessionMutation['startSession'],
  { __typename: 'StartSessionSuccess' }
>;

const FIELDS = ['verificationId', 'phone', 'name', 'email'];

/** Dialog that starts a session, and then shows the link for the customer. */
export function StartSessionDialog({ onClose, onStarted }: Props) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycStartSessionMutation['startSession']>();
  const [started, setStarted] = useState<StartSuccess | null>(null);
  const [verificationId, setVerificationId] = useState(generateVerificationId);
  const [user, setUser] = useState({ phone: '', name: '', email: '' });

  const start = () => {
    const input = {
      verificationId,
      user: {
        phone: user.phone,
        ...(user.name && { name: user.name }),
        ...(user.email && { email: user.email }),
      },
    };
    const call = async () => (await gateway.mutate(VkycStartSession, { input })).startSession;
    void mutation.run(call, input, (success) => {
      onStarted(success.session);
      setStarted(success);
    });
  };

  if (started) return <SessionStartedDialog started={started} onClose={onClose} />;

  return (
    <Dialog title={texts.acting.start.title} onClose={onClose}>
      <Form problems={mutation.problems} onSubmit={start}>
        <VerificationIdField initial={verificationId} onChange={setVerificationId} />
        <Field
          label={texts.acting.start.phone}
          name="phone"
          inputType="tel"
          autoFocus
          placeholder="9988776655"
          value={user.phone}
          onChange={(phone) => setUser({ ...user, phone })}
        />
        <Field
          label={texts.acting.optional(texts.acting.start.name)}
          name="name"
          value={user.name}
          onChange={(name) => setUser({ ...user, name })}
        />
        <Field
          label={texts.acting.optional(texts.acting.start.email)}
          name="email"
          inputType="email"
          value={user.email}
          onChange={(email) => setUser({ ...user, email })}
        />
        <MutationFailureNotice mutation={mutation} fields={FIELDS} />
        <div className={style.buttons}>
          <Button onPress={onClose}>{texts.acting.cancel}</Button>
          <Button type="submit" look="primary" isPending={mutation.pending}>
            {texts.acting.start.confirm}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

interface StartedProps {
  readonly started: StartSuccess;
  readonly onClose: () => void;
}

/** Dialog that shows the link of a started session. */
export function SessionStartedDialog({ started: { session, replayed }, onClose }: StartedProps) {
  const [, navigate] = useLocation();
  return (
    <Dialog title={texts.acting.start.started} onClose={onClose}>
      {replayed && <Notice tone="trouble">{texts.acting.start.replayed}</Notice>}
      {session.link ? (
        <>
          <p>{texts.acting.start.shareLink}</p>
          <p className={style.link}>
            <code>{session.link}</code>
            <CopyButton text={session.link} what={texts.acting.start.link} />
          </p>
        </>
      ) : (
        <p>
          <TranslatedGatewayText>{session.statusInfo.explanation}</TranslatedGatewayText>{' '}
          <TranslatedGatewayText>{session.statusInfo.recommendedAction}</TranslatedGatewayText>
        </p>
      )}
      <div className={style.buttons}>
        <Button onPress={onClose}>{texts.frame.close}</Button>
        <Button look="primary" onPress={() => navigate(`/sessions/${encodeURIComponent(session.id)}`)}>
          {texts.acting.start.goToSession}
        </Button>
      </div>
    </Dialog>
  );
}

/** Returns an unused verification id. */
export const generateVerificationId = (): string => `kyc-${crypto.randomUUID().slice(0, 8)}`;

/**
 * Field for the verification id of a new session, prefilled with an unused id. With the sandbox, the user may choose
 * a scenario, whose name is appended to the id.
 */
export function VerificationIdField({
  initial,
  onChange,
}: {
  initial: string;
  onChange: (verificationId: string) => void;
}) {
  const [stem, setStem] = useState(initial);
  const [scenario, setScenario] = useState('');
  const join = (start: string, end: string) => (end ? `${start}.${end}` : start);
  return (
    <>
      <Field
        label={texts.acting.start.verificationId}
        name="verificationId"
        value={stem}
        onChange={(value) => {
          setStem(value);
          onChange(join(value, scenario));
        }}
        maxLength={50}
        hint={scenario ? texts.acting.start.willBe(join(stem, scenario)) : texts.acting.start.idHint}
      />
      {pageSettings.scenarios && (
        <div>
          <Select
            label={texts.acting.start.scenario}
            options={scenarioNames(pageSettings.scenarios)}
            value={scenario}
            onChange={(value) => {
              setScenario(value);
              onChange(join(stem, value));
            }}
          />
          <p>
            <small lang="en">{pageSettings.scenarios[scenario || 'awaits-review']}</small>
          </p>
        </div>
      )}
    </>
  );
}

const scenarioNames = (scenarios: Readonly<Record<string, string>>): Record<string, string> => ({
  '': texts.acting.start.defaultScenario,
  ...Object.fromEntries(Object.keys(scenarios).map((name) => [name, name])),
});
