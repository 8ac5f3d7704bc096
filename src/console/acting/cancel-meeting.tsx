import { useState } from 'react';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { Button } from '../look/button.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Field, Form } from '../look/fields.tsx';
import { LocalAndIndianTime } from '../look/time.tsx';
import { VkycCancelMeeting, type VkycCancelMeetingMutation } from '../operations.ts';
import style from './act.module.css';
import type { ActionDialogProps } from './actions.tsx';
import { MutationNotice, useMutation } from './mutation.tsx';

/** Cancels the meeting that is booked, with the reason for those who read it later. */
export function CancelMeetingDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useSignedIn();
  const act = useMutation<VkycCancelMeetingMutation['cancelMeeting']>();
  const [reason, setReason] = useState('');

  const cancel = () => {
    const input = { sessionId: session.id, expectedVersion: session.version, ...(reason && { reason }) };
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycCancelMeeting, { input: { ...input, idempotencyKey } })).cancelMeeting;
    void act.run(call, input, (success) => onDone(success.session));
  };

  return (
    <Dialog title="Cancel the meeting" onClose={onClose}>
      {session.meeting && (
        <p className={style.now}>
          Booked for <LocalAndIndianTime at={session.meeting.startsAt} />
        </p>
      )}
      <Form problems={act.problems} onSubmit={cancel}>
        <Field
          label="Reason (optional)"
          name="reason"
          rows={3}
          maxLength={500}
          autoFocus
          value={reason}
          onChange={setReason}
        />
        <MutationNotice act={act} before={session} onContinue={onContinue} fields={['reason']} />
        <div className={style.buttons}>
          <Button onPress={onClose}>Keep the meeting</Button>
          <Button type="submit" look="danger" isPending={act.pending}>
            Cancel the meeting
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
