import { useState } from 'react';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { GatewayText } from '../language/gateway-text.tsx';
import { Sentence } from '../language/sentence.tsx';
import { texts } from '../language/texts.ts';
import { Dialog } from '../look/dialog.tsx';
import { Form, ListField } from '../look/fields.tsx';
import { ESCALATION_REASON_LABELS, findLabel } from '../look/labels.ts';
import { UserText } from '../look/user-text.tsx';
import {
  type EscalationReason,
  VkycEscalateSession,
  type VkycEscalateSessionMutation,
  VkycResolveEscalation,
  type VkycResolveEscalationMutation,
} from '../operations.ts';
import { Quoted } from '../session/cards.tsx';
import type { ActionDialogProps } from './action-dialog.ts';
import { ConfirmButtons, findMissing } from './confirm.tsx';
import style from './dialogs.module.css';
import { MutationNotice, useMutation } from './mutation.tsx';
import { NoteField } from './note-field.tsx';

/** Dialog that escalates a session: it asks staff to investigate the session. */
export function EscalateDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useSignedIn();
  const mutation = useMutation<VkycEscalateSessionMutation['escalateSession']>();
  const [reason, setReason] = useState<EscalationReason | null>(null);
  const [note, setNote] = useState('');
  const needsNote = reason === 'OTHER';

  const escalate = () => {
    if (!reason) return;
    const input = {
      sessionId: session.id,
      expectedVersion: session.version,
      reason,
      ...(note.trim() && { note }),
    };
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycEscalateSession, { input: { ...input, idempotencyKey } })).escalateSession;
    void mutation.run(call, input, (success) => onDone(success.session));
  };

  return (
    <Dialog title={texts.acting.escalate.title} onClose={onClose}>
      <p className={style.now}>
        {session.verificationId}: <GatewayText>{session.statusInfo.explanation}</GatewayText>{' '}
        {texts.acting.escalate.statusStays}
      </p>
      <Form problems={mutation.problems}>
        <ListField
          label={texts.acting.reason}
          options={ESCALATION_REASON_LABELS}
          value={reason}
          onChange={setReason}
        />
        <NoteField isOptional={!needsNote} value={note} onChange={setNote} />
        <MutationNotice mutation={mutation} before={session} onContinue={onContinue} fields={['note']} />
        <ConfirmButtons
          missing={findMissing(
            [!reason, texts.acting.chooseReason],
            [needsNote && !note.trim(), texts.acting.writeReason],
          )}
          label={texts.acting.escalate.title}
          look="primary"
          isPending={mutation.pending}
          onConfirm={escalate}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}

/** Dialog that records the result of the open escalation, and ends it. */
export function ResolveEscalationDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useSignedIn();
  const mutation = useMutation<VkycResolveEscalationMutation['resolveEscalation']>();
  const [note, setNote] = useState('');
  const escalation = session.escalations?.find(({ resolvedAt }) => !resolvedAt);

  const resolve = () => {
    const input = { sessionId: session.id, expectedVersion: session.version, note };
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycResolveEscalation, { input: { ...input, idempotencyKey } }))
        .resolveEscalation;
    void mutation.run(call, input, (success) => onDone(success.session));
  };

  return (
    <Dialog title={texts.acting.resolveEscalation.title} onClose={onClose}>
      {escalation && (
        <p className={style.now}>
          <Sentence
            parts={texts.acting.resolveEscalation.escalatedBy(
              <UserText>{escalation.escalatedBy ?? texts.acting.unknownUser}</UserText>,
              findLabel(ESCALATION_REASON_LABELS, escalation.reason),
            )}
          />
          <Quoted text={escalation.note} />
        </p>
      )}
      <Form problems={mutation.problems}>
        <NoteField label={texts.acting.resolveEscalation.result} isFirst value={note} onChange={setNote} />
        <MutationNotice mutation={mutation} before={session} onContinue={onContinue} fields={['note']} />
        <ConfirmButtons
          missing={findMissing([!note.trim(), texts.acting.resolveEscalation.missing])}
          label={texts.acting.resolveEscalation.title}
          look="primary"
          isPending={mutation.pending}
          onConfirm={resolve}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}
