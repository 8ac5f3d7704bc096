import { useState } from 'react';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { TranslatedGatewayText } from '../language/gateway-text.tsx';
import { texts } from '../language/texts.ts';
import { Dialog } from '../look/dialog.tsx';
import { Form, RadioField, SelectField } from '../look/fields.tsx';
import { CLOSURE_OUTCOME_LABELS, CLOSURE_REASON_LABELS } from '../look/labels.ts';
import {
  type ClosureOutcome,
  type ClosureReason,
  VkycCloseSession,
  type VkycCloseSessionMutation,
} from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import { ConfirmButtons, findFirstMissing } from './confirm.tsx';
import style from './dialogs.module.css';
import { MutationFailureNotice, useMutation } from './mutation.tsx';
import { NoteField } from './note-field.tsx';

/** Hook with the fields of a dialog that closes one or several sessions, and what the user has chosen in them. */
export function useClosureFields() {
  const [outcome, setOutcome] = useState<ClosureOutcome | null>(null);
  const [reason, setReason] = useState<ClosureReason | null>(null);
  const [note, setNote] = useState('');
  const needsNote = reason === 'OTHER';
  const missing = findFirstMissing(
    [!outcome, texts.acting.close.chooseOutcome],
    [!reason, texts.acting.chooseReason],
    [needsNote && !note.trim(), texts.acting.writeReason],
  );

  const fields = (
    <>
      <RadioField
        label={texts.acting.close.outcome}
        options={CLOSURE_OUTCOME_LABELS}
        meanings={texts.acting.close.meanings}
        value={outcome}
        onChange={setOutcome}
      />
      <SelectField
        label={texts.acting.reason}
        options={CLOSURE_REASON_LABELS}
        value={reason}
        onChange={setReason}
      />
      <NoteField isOptional={!needsNote} value={note} onChange={setNote} />
    </>
  );
  return {
    fields,
    /** Sentence that names what is missing; null if the closure is complete. */
    missing,
    outcome,
    /** Fields of the input of closeSession; null until an outcome and a reason are chosen. */
    closure: outcome && reason && { outcome, reason, ...(note.trim() && { note }) },
    forgetOutcome: () => setOutcome(null),
  };
}

/** Dialog that ends a session here: rejects the customer, or gives the session up. */
export function CloseSessionDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycCloseSessionMutation['closeSession']>();
  const { fields, missing, outcome, closure, forgetOutcome } = useClosureFields();

  const close = () => {
    if (!closure) return;
    const input = { sessionId: session.id, expectedVersion: session.version, ...closure };
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycCloseSession, { input: { ...input, idempotencyKey } })).closeSession;
    void mutation.run(call, input, (success) => onDone(success.session));
  };
  const goOn = () => {
    forgetOutcome();
    onContinue();
  };

  return (
    <Dialog title={texts.acting.close.title} onClose={onClose}>
      <p className={style.now}>
        {session.verificationId}:{' '}
        <TranslatedGatewayText>{session.statusInfo.explanation}</TranslatedGatewayText>{' '}
        {texts.acting.close.notTold}
        {session.meeting && ` ${texts.acting.close.cancelsMeeting}`}
      </p>
      <Form problems={mutation.problems}>
        {fields}
        <MutationFailureNotice mutation={mutation} before={session} onContinue={goOn} fields={['note']} />
        <ConfirmButtons
          missing={missing}
          label={outcome ? texts.acting.close.confirm[outcome] : texts.acting.close.title}
          look="danger"
          isPending={mutation.pending}
          onConfirm={close}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}
