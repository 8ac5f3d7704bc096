import { useState } from 'react';
import { toLocalDay } from '../calendar/day.ts';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { TextWithElements } from '../language/sentence.tsx';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Field, Form } from '../look/fields.tsx';
import { LocalAndIndianTime } from '../look/time.tsx';
import { type SubStatus, VkycScheduleMeeting, type VkycScheduleMeetingMutation } from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import style from './dialogs.module.css';
import { AnyTimeField, FreeSlotField, NextFreeSlots, useDaySlots } from './meeting-time.tsx';
import { MutationFailureNotice, useMutation } from './mutation.tsx';

/** Steps in which a call waits for its review: the gateway refuses a booking without a reason. */
const AWAITING_REVIEW: readonly SubStatus[] = ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'];

/**
 * Dialog that books a meeting, or moves the booked meeting. It offers the free slots of a day if the deployment has
 * working hours, and a field for any time otherwise. Times are in the time zone of the browser.
 */
export function ScheduleMeetingDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycScheduleMeetingMutation['scheduleMeeting']>();
  const booked = session.meeting?.status === 'SCHEDULED' ? session.meeting : null;
  const [startsAt, setStartsAt] = useState<string | null>(null);
  const [day, setDay] = useState(() => toLocalDay(new Date()));
  const [reason, setReason] = useState('');
  // If the gateway refused a booking, the slots may have changed.
  const loaded = useDaySlots(day, mutation.refusal);
  const hasSlots = loaded !== null && loaded.slots !== null;
  const needsReason = AWAITING_REVIEW.includes(session.statusInfo.subStatus);

  const schedule = (at: string | null) => {
    if (!at) return;
    const input = {
      sessionId: session.id,
      expectedVersion: session.version,
      startsAt: at,
      ...(needsReason && { reason }),
    };
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycScheduleMeeting, { input: { ...input, idempotencyKey } })).scheduleMeeting;
    void mutation.run(call, input, (success) => onDone(success.session));
  };
  const bookInstead = (at: string) => {
    setDay(toLocalDay(new Date(at)));
    setStartsAt(at);
    schedule(at);
  };
  const { refusal } = mutation;

  return (
    <Dialog
      title={booked ? texts.acting.schedule.titleBooked : texts.acting.schedule.title}
      onClose={onClose}
    >
      {booked && (
        <p className={style.now}>
          <TextWithElements parts={texts.acting.bookedFor(<LocalAndIndianTime at={booked.startsAt} />)} />
        </p>
      )}
      <Form problems={mutation.problems} onSubmit={() => schedule(startsAt)}>
        {loaded === null && <p role="status">{texts.frame.loading}</p>}
        {loaded !== null &&
          (hasSlots ? (
            <FreeSlotField
              day={day}
              onDay={(next) => {
                setDay(next);
                setStartsAt(null);
              }}
              loaded={loaded}
              startsAt={startsAt}
              onChange={setStartsAt}
            />
          ) : (
            <AnyTimeField startsAt={startsAt} onChange={setStartsAt} />
          ))}
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
              <TextWithElements
                parts={texts.acting.schedule.linkExpires(<LocalAndIndianTime at={session.linkExpiresAt} />)}
              />
            </small>
          </p>
        )}
        <MutationFailureNotice
          mutation={mutation}
          before={session}
          onContinue={onContinue}
          fields={hasSlots ? ['reason'] : ['startsAt', 'reason']}
        />
        {refusal && 'nextFreeSlots' in refusal && (
          <NextFreeSlots slots={refusal.nextFreeSlots} onBook={bookInstead} />
        )}
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
