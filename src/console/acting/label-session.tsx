import { useState } from 'react';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import { Dialog } from '../look/dialog.tsx';
import { Field, Form } from '../look/fields.tsx';
import { VkycLabelSession, type VkycLabelSessionMutation } from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import { ConfirmButtons, findFirstMissing } from './confirm.tsx';
import { MutationFailureNotice, useMutation } from './mutation.tsx';

/**
 * Dialog that changes the metadata and tags of a session. It sends only what differs from the labels when the dialog was
 * opened, so that a change that another user makes at the same time stays. No version is sent: labels are about the
 * session, whatever its status.
 */
export function EditLabelsDialog({ session, onDone, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycLabelSessionMutation['labelSession']>();
  const [tags, setTags] = useState(() => (session.tags ?? []).join('\n'));
  const [metadata, setMetadata] = useState(() =>
    (session.metadata ?? []).map(({ key, value }) => `${key}=${value}`).join('\n'),
  );
  const change = findChange(session, readLines(tags), readLines(metadata));
  const changes = change.metadata.length + change.addTags.length + change.removeTags.length;

  const save = () => {
    const input = { sessionId: session.id, ...change };
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycLabelSession, { input: { ...input, idempotencyKey } })).labelSession;
    void mutation.run(call, input, (success) => onDone(success.session));
  };

  return (
    <Dialog title={texts.acting.labels.title} onClose={onClose}>
      <p>{texts.acting.labels.noPersonalData}</p>
      <Form>
        <Field
          label={texts.acting.labels.tags}
          hint={texts.acting.labels.tagsHint}
          rows={4}
          value={tags}
          onChange={setTags}
          autoFocus
        />
        <Field
          label={texts.acting.labels.metadata}
          hint={texts.acting.labels.metadataHint}
          rows={6}
          value={metadata}
          onChange={setMetadata}
        />
        <MutationFailureNotice mutation={mutation} before={session} />
        <ConfirmButtons
          missing={findFirstMissing([changes === 0, texts.acting.labels.missing])}
          label={texts.acting.labels.confirm}
          look="primary"
          isPending={mutation.pending}
          onConfirm={save}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}

const readLines = (text: string): string[] =>
  text.split('\n').flatMap((line) => (line.trim() ? [line.trim()] : []));

/** Returns the change from the session's labels to those in the fields of the dialog. */
function findChange(
  session: ActionDialogProps['session'],
  tags: readonly string[],
  lines: readonly string[],
) {
  const had = session.tags ?? [];
  const before = session.metadata ?? [];
  const pairs = lines.map((line) => {
    // The key of a stored pair may contain an equals sign.
    const stored = before.find(({ key }) => line.startsWith(`${key}=`));
    const at = stored ? stored.key.length : line.indexOf('=');
    return at < 0
      ? { key: line, value: '' }
      : { key: line.slice(0, at).trim(), value: line.slice(at + 1).trim() };
  });
  const isNew = ({ key, value }: { key: string; value: string }) =>
    before.find((pair) => pair.key === key)?.value !== value;
  const removed = before.filter(({ key }) => !pairs.some((pair) => pair.key === key));
  return {
    metadata: [...pairs.filter(isNew), ...removed.map(({ key }) => ({ key, value: '' }))],
    addTags: [...new Set(tags.filter((tag) => !had.includes(tag)))],
    removeTags: had.filter((tag) => !tags.includes(tag)),
  };
}
