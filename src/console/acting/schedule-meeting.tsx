import { useState } from 'react';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { Button } from '../look/button.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Field, Form } from '../look/fields.tsx';
import { formatInIndia, isIndianClock, LocalAndIndianTime } from '../look/time.tsx';
import { VkycScheduleMeeting, type VkycScheduleMeetingMutation } from '../operations.ts';
import style from './act.module.css';
import type { ActionDialogProps } from './actions.tsx';
import { MutationNotice, useMutation } from './mutation.tsx';

const MINUTE = 60_000;
const IN_HALF_AN_HOUR = 30 * MINUTE;

/** Books a meeting, or moves the one that is booked. Times are the viewer's, and shown in India's as well. */
export function ScheduleMeetingDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useSignedIn();
  const act = useMutation<VkycScheduleMeetingMutation['scheduleMeeting']>();
  const booked = session.meeting?.status === 'SCHEDULED' ? session.meeting : null;
  const [local, setLocal] = useState(() => localTime(new Date(Date.now() + IN_HALF_AN_HOUR)));
  const at = new Date(local);
  const startsAt = Number.isNaN(at.getTime()) ? null : at.toISOString();

  const schedule = () => {
    if (!startsAt) return;
    const input = { sessionId: session.id, expectedVersion: session.version, startsAt };
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycScheduleMeeting, { input: { ...input, idempotencyKey } })).scheduleMeeting;
    void act.run(call, input, (success) => onDone(success.session));
  };

  return (
    <Dialog title={booked ? 'Move the meeting' : 'Schedule a meeting'} onClose={onClose}>
      {booked && (
        <p className={style.now}>
          Booked for <LocalAndIndianTime at={booked.startsAt} />
        </p>
      )}
      <Form problems={act.problems} onSubmit={schedule}>
        <Field
          label={isIndianClock ? 'When (IST)' : 'When (your time)'}
          name="startsAt"
          inputType="datetime-local"
          autoFocus
          value={local}
          onChange={setLocal}
          hint={startsAt && !isIndianClock ? `That is ${formatInIndia(startsAt)}` : undefined}
        />
        {session.linkExpiresAt && (
          <p>
            <small>
              The customer's link ends <LocalAndIndianTime at={session.linkExpiresAt} />
            </small>
          </p>
        )}
        <MutationNotice act={act} before={session} onContinue={onContinue} fields={['startsAt']} />
        <div className={style.buttons}>
          <Button onPress={onClose}>Not now</Button>
          <Button type="submit" look="primary" isDisabled={!startsAt} isPending={act.pending}>
            {booked ? 'Move' : 'Schedule'}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** As an input of the browser has it: the viewer's clock, to the minute. */
function localTime(date: Date): string {
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * MINUTE);
  return shifted.toISOString().slice(0, 16);
}
