import { Fragment, useState } from 'react';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import { Dialog } from '../look/dialog.tsx';
import { Form } from '../look/fields.tsx';
import { UserText } from '../look/user-text.tsx';
import { VkycStartSession, type VkycStartSessionMutation } from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import { ConfirmButtons, findFirstMissing } from './confirm.tsx';
import style from './dialogs.module.css';
import { MutationFailureNotice, useMutation } from './mutation.tsx';
import {
  generateVerificationId,
  SessionStartedDialog,
  type StartSuccess,
  VerificationIdField,
} from './start-session.tsx';

/**
 * Dialog that starts a session for the same person, which replaces the session, and then shows the new link. The person
 * is named by their user id, so that their phone, name and email need not be typed again.
 */
export function ReplaceSessionDialog({ session, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycStartSessionMutation['startSession']>();
  const [started, setStarted] = useState<StartSuccess | null>(null);
  const [verificationId, setVerificationId] = useState(generateVerificationId);
  const { user, statusInfo } = session;
  const known = [user.name, user.phone, user.email].filter((each) => each);

  const start = () => {
    const input = { verificationId, user: { userId: user.userId }, replacesSessionId: session.id };
    const call = async () => (await gateway.mutate(VkycStartSession, { input })).startSession;
    void mutation.run(call, input, setStarted);
  };

  if (started) return <SessionStartedDialog started={started} onClose={onClose} />;
  return (
    <Dialog title={texts.acting.replace.title(session.verificationId)} onClose={onClose}>
      <p className={style.now}>
        {statusInfo.terminal ? texts.acting.replace.keepsOutcome : texts.acting.replace.ends}
      </p>
      <dl className={style.facts}>
        <div>
          <dt>{texts.acting.replace.customer}</dt>
          <dd>
            {(known.length > 0 ? known : [user.userId]).map((each, at) => (
              <Fragment key={each}>
                {at > 0 && ', '}
                <UserText>{each}</UserText>
              </Fragment>
            ))}
          </dd>
        </div>
      </dl>
      <Form problems={mutation.problems}>
        <VerificationIdField initial={verificationId} onChange={setVerificationId} />
        <MutationFailureNotice mutation={mutation} fields={['verificationId']} />
        <ConfirmButtons
          missing={findFirstMissing([!verificationId, texts.acting.replace.enterId])}
          label={statusInfo.terminal ? texts.acting.replace.confirm : texts.acting.replace.confirmEnd}
          look={statusInfo.terminal ? 'primary' : 'danger'}
          isPending={mutation.pending}
          onConfirm={start}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}
