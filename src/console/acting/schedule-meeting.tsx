import { useState } from 'react';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { Button } from '../look/button.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Field, Form } from '../look/fields.tsx';
import { inIndia, Moment, momentInIndia } from '../look/time.tsx';
import { VkycScheduleMeeting, type VkycScheduleMeetingMutation } from '../operations.ts';
import style from './act.module.css';
import { Said, useAct } from './act.tsx';
import type { ActProps } from './actions.tsx';

const MINUTE = 60_000;
const IN_HALF_AN_HOUR = 30 * MINUTE;

/** Books a meeting, or moves the one that is booked. Times are the viewer's, and shown in India's as well. */
export function ScheduleMeeting({ session, onDone, onGoOn, onClose }: ActProps) {
  const { gateway } = useSignedIn();
  const act = useAct<VkycScheduleMeetingMutation['scheduleMeeting']>();
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
          Booked for <Moment at={booked.startsAt} />
        </p>
      )}
      <Form problems={act.problems} onSubmit={schedule}>
        <Field
          label={inIndia ? 'When (IST)' : 'When (your time)'}
          name="startsAt"
          inputType="datetime-local"
          autoFocus
          value={local}
          onChange={setLocal}
          hint={startsAt && !inIndia ? `That is ${momentInIndia(startsAt)}` : undefined}
        />
        {session.linkExpiresAt && (
          <p>
            <small>
              The customer's link ends <Moment at={session.linkExpiresAt} />
            </small>
          </p>
        )}
        <Said act={act} before={session} onGoOn={onGoOn} fields={['startsAt']} />
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
