import { useState } from 'react';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { Button } from '../look/button.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Choice, Form } from '../look/fields.tsx';
import { DISPUTE_LABELS, humanize } from '../look/labels.ts';
import { Notice } from '../look/notice.tsx';
import { StatusBadge } from '../look/status.tsx';
import {
  type DisputeResolutionChoice,
  type VkycRefusalFragment,
  VkycResolveDispute,
  type VkycResolveDisputeMutation,
} from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import { ConfirmButtons, findMissing } from './confirm.tsx';
import style from './dialogs.module.css';
import { MutationNotice, useMutation } from './mutation.tsx';
import { NoteField } from './note-field.tsx';

/** Dialog in which a person who has not decided on the session says whose decision stands. */
export function ResolveDisputeDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useSignedIn();
  const mutation = useMutation<VkycResolveDisputeMutation['resolveDispute']>();
  const [resolution, setResolution] = useState<DisputeResolutionChoice | null>(null);
  const [note, setNote] = useState('');
  /** Refusal after which the user asked for the current decisions. */
  const [continuedAfter, setContinuedAfter] = useState<VkycRefusalFragment | null>(null);
  const theirs = session.providerDecision;
  const confirm: Record<DisputeResolutionChoice, string> = {
    KEEP_OURS: `Keep our decision: ${humanize(session.statusInfo.subStatus)}`,
    ACCEPT_PROVIDER: theirs
      ? `Replace our decision by the provider's: ${humanize(theirs)}`
      : "Replace our decision by the provider's",
  };

  const resolve = () => {
    if (!resolution) return;
    // A new decision of the provider during a dispute does not raise the version. Without the expected sub-status, a
    // person who accepts the rejection on this page could approve the customer (race).
    const expectedSubStatus = resolution === 'KEEP_OURS' ? session.statusInfo.subStatus : theirs;
    if (!expectedSubStatus) return;
    const input = {
      ...{ sessionId: session.id, expectedVersion: session.version, expectedSubStatus },
      ...{ resolution, note },
    };
    const call = async (idempotencyKey: string) =>
      (await gateway.mutate(VkycResolveDispute, { input: { ...input, idempotencyKey } })).resolveDispute;
    void mutation.run(call, input, (success) => onDone(success.session));
  };
  const reported = { status: session.providerStatus, subStatus: session.providerSubStatus };
  const { refusal } = mutation;
  const current = refusal && 'currentSession' in refusal ? refusal.currentSession : null;
  const isOutdated = current?.version === session.version && refusal !== continuedAfter;
  const goOn = () => {
    setContinuedAfter(refusal);
    setResolution(null);
    onContinue();
  };

  return (
    <Dialog title="Resolve the dispute" onClose={onClose}>
      <dl className={style.facts}>
        <div>
          <dt>Our decision</dt>
          <dd>
            <StatusBadge of={session.statusInfo} />
          </dd>
        </div>
        <div>
          <dt>The provider's decision</dt>
          <dd>{theirs ? humanize(theirs) : 'Withdrawn: the provider has reported another status.'}</dd>
        </div>
        {reported.subStatus !== theirs && reported.subStatus !== session.statusInfo.subStatus && (
          <div>
            <dt>Last reported by the provider</dt>
            <dd>
              <StatusBadge of={reported} />
            </dd>
          </div>
        )}
      </dl>
      <Form problems={mutation.problems}>
        <Choice
          label="Whose decision stands?"
          options={DISPUTE_LABELS}
          value={resolution}
          onChange={setResolution}
        />
        <NoteField label="Why" value={note} onChange={setNote} />
        {isOutdated ? (
          <Notice tone="trouble">
            <p>The provider has decided otherwise since you opened this dialog. Nothing was changed.</p>
            <Button onPress={goOn}>Show the current decisions</Button>
          </Notice>
        ) : (
          <MutationNotice mutation={mutation} before={session} onContinue={goOn} fields={['note']} />
        )}
        <ConfirmButtons
          missing={findMissing(
            [!resolution, 'Choose whose decision stands.'],
            [
              resolution === 'ACCEPT_PROVIDER' && !theirs,
              'The provider has withdrawn its decision: keep ours.',
            ],
            [!note.trim(), 'Write why.'],
          )}
          label={resolution ? confirm[resolution] : 'Resolve the dispute'}
          look="danger"
          isPending={mutation.pending}
          onConfirm={resolve}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}
