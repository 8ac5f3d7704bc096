import { useState } from 'react';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { TextWithElements } from '../language/sentence.tsx';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Field, Form } from '../look/fields.tsx';
import { LocalAndIndianTime } from '../look/time.tsx';
import { VkycCancelMeeting, type VkycCancelMeetingMutation } from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import style from './dialogs.module.css';
import { MutationFailureNotice, useMutation } from './mutation.tsx';

/** Dialog that cancels the booked meeting. The user may enter a reason, which the gateway stores. */
export function CancelMeetingDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycCancelMeetingMutation['cancelMeeting']>();
  const [reason, setReason] = useState('');

  const cancel = () => {
    const input = { sessionId: session.id, expectedVersion: session.version, ...(reason && { reason }) };
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycCancelMeeting, { input: { ...input, idempotencyKey } })).cancelMeeting;
    void mutation.run(call, input, (success) => onDone(success.session));
  };

  return (
    <Dialog title={texts.acting.cancelMeeting.title} onClose={onClose}>
      {session.meeting && (
        <p className={style.now}>
          <TextWithElements
            parts={texts.acting.bookedFor(<LocalAndIndianTime at={session.meeting.startsAt} />)}
          />
        </p>
      )}
      <Form problems={mutation.problems} onSubmit={cancel}>
        <Field
          label={texts.acting.optional(texts.acting.reason)}
          name="reason"
          rows={3}
          maxLength={500}
          autoFocus
          value={reason}
          onChange={setReason}
        />
        <MutationFailureNotice
          mutation={mutation}
          before={session}
          onContinue={onContinue}
          fields={['reason']}
        />
        <div className={style.buttons}>
          <Button onPress={onClose}>{texts.acting.cancelMeeting.keep}</Button>
          <Button type="submit" look="danger" isPending={mutation.pending}>
            {texts.acting.cancelMeeting.confirm}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
