import { useState } from 'react';
import type { ActionDialogProps } from '../acting/action-dialog.ts';
import { ConfirmButtons, findFirstMissing } from '../acting/confirm.tsx';
import dialogs from '../acting/dialogs.module.css';
import { MutationFailureNotice, useMutation } from '../acting/mutation.tsx';
import { NoteField } from '../acting/note-field.tsx';
import type { GatewayClient } from '../gateway/gateway.ts';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import { Dialog } from '../look/dialog.tsx';
import { Form } from '../look/fields.tsx';
import {
  type AddNoteInput,
  VkycAddNote,
  type VkycAddNoteMutation,
  VkycAssignAgent,
  type VkycAssignAgentMutation,
  VkycUnassignAgent,
  type VkycUnassignAgentMutation,
} from '../operations.ts';
import { useAssignmentFields } from './assignee.tsx';
import { AssigneeLine } from './worker.tsx';

type Noted = VkycAddNoteMutation['addNote'];

/** Dialog that assigns a session to an agent or auditor, also if another person has it, and adds a note for the assignee. */
export function AssignDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycAssignAgentMutation['assignAgent'] | Noted>();
  const { fields, assignee } = useAssignmentFields();
  const [note, setNote] = useState('');

  const assign = () => {
    const input = { sessionId: session.id, expectedVersion: session.version, ...assignee };
    const call = async (idempotencyKey: string) => {
      const { assignAgent } = await gateway.mutate(VkycAssignAgent, { input: { ...input, idempotencyKey } });
      return withNote(gateway, assignAgent, { sessionId: session.id, note, idempotencyKey });
    };
    void mutation.run(call, { ...input, note }, (success) => onDone(success.session));
  };

  return (
    <Dialog title={texts.work.assignTitle} onClose={onClose}>
      <div className={dialogs.now}>
        <AssigneeLine session={session} />
        {session.assignedAgent && <p>{texts.work.assignHint}</p>}
      </div>
      <Form problems={mutation.problems}>
        {fields}
        <NoteField label={texts.work.noteForNext} isOptional value={note} onChange={setNote} />
        <MutationFailureNotice
          mutation={mutation}
          before={session}
          onContinue={onContinue}
          fields={['agent', 'note']}
        />
        <ConfirmButtons
          missing={findFirstMissing([!assignee.agent, texts.work.choosePerson])}
          label={texts.work.assign}
          look="primary"
          isPending={mutation.pending}
          onConfirm={assign}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}

/** Dialog that ends the assignment of a session, and leaves a note for the person who goes on. */
export function UnassignDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycUnassignAgentMutation['unassignAgent'] | Noted>();
  const [note, setNote] = useState('');

  const unassign = () => {
    const input = { sessionId: session.id, expectedVersion: session.version };
    const call = async (idempotencyKey: string) => {
      const { unassignAgent } = await gateway.mutate(VkycUnassignAgent, {
        input: { ...input, idempotencyKey },
      });
      return withNote(gateway, unassignAgent, { sessionId: session.id, note, idempotencyKey });
    };
    void mutation.run(call, { ...input, note }, (success) => onDone(success.session));
  };

  return (
    <Dialog title={texts.work.unassignTitle} onClose={onClose}>
      <div className={dialogs.now}>
        <AssigneeLine session={session} />
        <p>{texts.work.unassignHint}</p>
      </div>
      <Form problems={mutation.problems}>
        <NoteField label={texts.work.noteForNext} isOptional isFirst value={note} onChange={setNote} />
        <MutationFailureNotice
          mutation={mutation}
          before={session}
          onContinue={onContinue}
          fields={['note']}
        />
        <ConfirmButtons
          missing={null}
          label={texts.work.unassign}
          look="primary"
          isPending={mutation.pending}
          onConfirm={unassign}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}

/**
 * Adds the note of a hand-over, if there is one, after the hand-over has succeeded. Returns the result of the call that
 * came last. Both calls have the same idempotency key, so that a repetition after a lost answer does neither twice.
 */
async function withNote<Result extends { readonly __typename: string }>(
  gateway: GatewayClient,
  handedOver: Result,
  input: AddNoteInput,
): Promise<Result | Noted> {
  if ('retryable' in handedOver || !input.note.trim()) return handedOver;
  return (await gateway.mutate(VkycAddNote, { input })).addNote;
}
