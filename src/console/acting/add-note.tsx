import { useState } from 'react';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import { Dialog } from '../look/dialog.tsx';
import { Form } from '../look/fields.tsx';
import { VkycAddNote, type VkycAddNoteMutation } from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import { ConfirmButtons, findFirstMissing } from './confirm.tsx';
import { MutationFailureNotice, useMutation } from './mutation.tsx';
import { NoteField } from './note-field.tsx';

/** Dialog that adds a note. No version is sent: a note is about the session, whatever its status. */
export function AddNoteDialog({ session, onDone, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycAddNoteMutation['addNote']>();
  const [note, setNote] = useState('');

  const add = () => {
    const input = { sessionId: session.id, note };
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycAddNote, { input: { ...input, idempotencyKey } })).addNote;
    void mutation.run(call, input, (success) => onDone(success.session));
  };

  return (
    <Dialog title={texts.acting.addNote.title} onClose={onClose}>
      <Form problems={mutation.problems}>
        <NoteField isFirst value={note} onChange={setNote} />
        <MutationFailureNotice mutation={mutation} before={session} fields={['note']} />
        <ConfirmButtons
          missing={findFirstMissing([!note.trim(), texts.acting.addNote.missing])}
          label={texts.acting.addNote.confirm}
          look="primary"
          isPending={mutation.pending}
          onConfirm={add}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}
