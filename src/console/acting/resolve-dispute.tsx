import { useState } from 'react';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Form, RadioField } from '../look/fields.tsx';
import { DISPUTE_RESOLUTION_LABELS, getStepLabel } from '../look/labels.ts';
import { Notice } from '../look/notice.tsx';
import { StatusBadge } from '../look/status.tsx';
import {
  type DisputeResolutionChoice,
  type VkycRefusalFragment,
  VkycResolveDispute,
  type VkycResolveDisputeMutation,
} from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import { ConfirmButtons, findFirstMissing } from './confirm.tsx';
import style from './dialogs.module.css';
import { MutationFailureNotice, useMutation } from './mutation.tsx';
import { NoteField } from './note-field.tsx';

/** Dialog in which a person who has not decided on the session says whose decision stands. */
export function ResolveDisputeDialog({ session, onDone, onContinue, onClose }: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const mutation = useMutation<VkycResolveDisputeMutation['resolveDispute']>();
  const [resolution, setResolution] = useState<DisputeResolutionChoice | null>(null);
  const [note, setNote] = useState('');
  /** Refusal after which the user asked for the current decisions. */
  const [continuedAfter, setContinuedAfter] = useState<VkycRefusalFragment | null>(null);
  const theirs = session.providerDecision;
  const confirm: Record<DisputeResolutionChoice, string> = {
    KEEP_OURS: texts.acting.dispute.confirmOurs(getStepLabel(session.statusInfo.subStatus)),
    ACCEPT_PROVIDER: theirs
      ? texts.acting.dispute.confirmTheirs(getStepLabel(theirs))
      : texts.acting.dispute.confirmWithdrawn,
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
    <Dialog title={texts.acting.dispute.title} onClose={onClose}>
      <dl className={style.facts}>
        <div>
          <dt>{texts.acting.dispute.ours}</dt>
          <dd>
            <StatusBadge of={session.statusInfo} />
          </dd>
        </div>
        <div>
          <dt>{texts.acting.dispute.theirs}</dt>
          <dd>{theirs ? getStepLabel(theirs) : texts.acting.dispute.withdrawn}</dd>
        </div>
        {reported.subStatus !== theirs && reported.subStatus !== session.statusInfo.subStatus && (
          <div>
            <dt>{texts.acting.dispute.lastReported}</dt>
            <dd>
              <StatusBadge of={reported} />
            </dd>
          </div>
        )}
      </dl>
      <Form problems={mutation.problems}>
        <RadioField
          label={texts.acting.dispute.whose}
          options={DISPUTE_RESOLUTION_LABELS}
          value={resolution}
          onChange={setResolution}
        />
        <NoteField label={texts.acting.dispute.why} value={note} onChange={setNote} />
        {isOutdated ? (
          <Notice tone="trouble">
            <p>{texts.acting.dispute.decidedSince}</p>
            <Button onPress={goOn}>{texts.acting.dispute.showCurrent}</Button>
          </Notice>
        ) : (
          <MutationFailureNotice mutation={mutation} before={session} onContinue={goOn} fields={['note']} />
        )}
        <ConfirmButtons
          missing={findFirstMissing(
            [!resolution, texts.acting.dispute.choose],
            [resolution === 'ACCEPT_PROVIDER' && !theirs, texts.acting.dispute.keepOurs],
            [!note.trim(), texts.acting.dispute.writeWhy],
          )}
          label={resolution ? confirm[resolution] : texts.acting.dispute.title}
          look="danger"
          isPending={mutation.pending}
          onConfirm={resolve}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}
