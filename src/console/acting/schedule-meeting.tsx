import { useState } from 'react';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { Sentence } from '../language/sentence.tsx';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Field, Form } from '../look/fields.tsx';
import { formatInIndia, isIndianClock, LocalAndIndianTime } from '../look/time.tsx';
import { type SubStatus, VkycScheduleMeeting, type VkycScheduleMeetingMutation } from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import style from './dialogs.module.css';
import { MutationNotice, useMutation } from './mutation.tsx';

/** Steps in which a call waits for its review: the gateway refuses a booking without a reason. */
const AWAITING_REVIEW: readonly SubStatus[] = ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'];
const MINUTE = 60_000;
const IN_HALF_AN_HOUR = 30 * MINUTE;

/**
 * Dialog that books a meeting, or moves the booked meeting. The user enters the time in the time zone of the
 * browser; a hint shows the Indian time.
 */
export function ScheduleMeetingDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useSignedIn();
  const mutation = useMutation<VkycScheduleMeetingMutation['scheduleMeeting']>();
  const booked = session.meeting?.status === 'SCHEDULED' ? session.meeting : null;
  const [local, setLocal] = useState(() => localTime(new Date(Date.now() + IN_HALF_AN_HOUR)));
  const [reason, setReason] = useState('');
  const needsReason = AWAITING_REVIEW.includes(session.statusInfo.subStatus);
  const at = new Date(local);
  const startsAt = Number.isNaN(at.getTime()) ? null : at.toISOString();

  const schedule = () => {
    if (!startsAt) return;
    const input = {
      sessionId: session.id,
      expectedVersion: session.version,
      startsAt,
      ...(needsReason && { reason }),
    };
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycScheduleMeeting, { input: { ...input, idempotencyKey } })).scheduleMeeting;
    void mutation.run(call, input, (success) => onDone(success.session));
  };

  return (
    <Dialog
      title={booked ? texts.acting.schedule.titleBooked : texts.acting.schedule.title}
      onClose={onClose}
    >
      {booked && (
        <p className={style.now}>
          <Sentence parts={texts.acting.bookedFor(<LocalAndIndianTime at={booked.startsAt} />)} />
        </p>
      )}
      <Form problems={mutation.problems} onSubmit={schedule}>
        <Field
          label={isIndianClock ? texts.acting.schedule.timeInIndia : texts.acting.schedule.timeHere}
          name="startsAt"
          inputType="datetime-local"
          autoFocus
          value={local}
          onChange={setLocal}
          hint={
            startsAt && !isIndianClock ? texts.acting.schedule.thatIs(formatInIndia(startsAt)) : undefined
          }
        />
        {needsReason && (
          <Field
            label={texts.acting.reason}
            name="reason"
            rows={2}
            maxLength={500}
            isRequired
            value={reason}
            onChange={setReason}
            hint={texts.acting.schedule.whyAnother}
          />
        )}
        {session.linkExpiresAt && (
          <p>
            <small>
              <Sentence
                parts={texts.acting.schedule.linkExpires(<LocalAndIndianTime at={session.linkExpiresAt} />)}
              />
            </small>
          </p>
        )}
        <MutationNotice
          mutation={mutation}
          before={session}
          onContinue={onContinue}
          fields={['startsAt', 'reason']}
        />
        <div className={style.buttons}>
          <Button onPress={onClose}>{texts.acting.cancel}</Button>
          <Button type="submit" look="primary" isDisabled={!startsAt} isPending={mutation.pending}>
            {booked ? texts.acting.schedule.confirmBooked : texts.acting.schedule.confirm}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** Formats a date for `<input type="datetime-local">`: in the viewer's time zone, to the minute. */
function localTime(date: Date): string {
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * MINUTE);
  return shifted.toISOString().slice(0, 16);
}
