import { useState } from 'react';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { TranslatedGatewayText } from '../language/gateway-text.tsx';
import { TextWithElements } from '../language/sentence.tsx';
import { texts } from '../language/texts.ts';
import { Dialog } from '../look/dialog.tsx';
import { Form, SelectField } from '../look/fields.tsx';
import { ESCALATION_REASON_LABELS, getLabel } from '../look/labels.ts';
import { UserText } from '../look/user-text.tsx';
import {
  type EscalationReason,
  VkycEscalateSession,
  type VkycEscalateSessionMutation,
  VkycResolveEscalation,
  type VkycResolveEscalationMutation,
} from '../operations.ts';
import { InlineQuote } from '../session/cards.tsx';
import type { ActionDialogProps } from './action-dialog.ts';
import { ConfirmButtons, findFirstMissing } from './confirm.tsx';
import style from './dialogs.module.css';
import { MutationFailureNotice, useMutation } from './mutation.tsx';
import { NoteField } from './note-field.tsx';

/** Dialog that escalates a session: it asks staff to investigate the session. */
export function EscalateDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
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
        {session.verificationId}:{' '}
        <TranslatedGatewayText>{session.statusInfo.explanation}</TranslatedGatewayText>{' '}
        {texts.acting.escalate.statusStays}
      </p>
      <Form problems={mutation.problems}>
        <SelectField
          label={texts.acting.reason}
          options={ESCALATION_REASON_LABELS}
          value={reason}
          onChange={setReason}
        />
        <NoteField isOptional={!needsNote} value={note} onChange={setNote} />
        <MutationFailureNotice
          mutation={mutation}
          before={session}
          onContinue={onContinue}
          fields={['note']}
        />
        <ConfirmButtons
          missing={findFirstMissing(
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
  const { gateway } = useViewerAndGateway();
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
          <TextWithElements
            parts={texts.acting.resolveEscalation.escalatedBy(
              <UserText>{escalation.escalatedBy ?? texts.acting.unknownUser}</UserText>,
              getLabel(ESCALATION_REASON_LABELS, escalation.reason),
            )}
          />
          <InlineQuote text={escalation.note} />
        </p>
      )}
      <Form problems={mutation.problems}>
        <NoteField label={texts.acting.resolveEscalation.result} isFirst value={note} onChange={setNote} />
        <MutationFailureNotice
          mutation={mutation}
          before={session}
          onContinue={onContinue}
          fields={['note']}
        />
        <ConfirmButtons
          missing={findFirstMissing([!note.trim(), texts.acting.resolveEscalation.missing])}
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
