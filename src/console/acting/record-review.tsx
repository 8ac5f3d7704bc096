import { useState } from 'react';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { Button } from '../look/button.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Choice, Field, Form } from '../look/fields.tsx';
import {
  type AgentDecision,
  type AuditorDecision,
  VkycRecordAgentReview,
  type VkycRecordAgentReviewMutation,
  VkycRecordAuditorReview,
} from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import style from './dialogs.module.css';
import { MutationNotice, useMutation } from './mutation.tsx';

const AGENT_DECISIONS: Record<AgentDecision, string> = {
  APPROVED: 'Approve',
  REJECTED: 'Reject',
  UNABLE_TO_VALIDATE: 'Unable to validate',
};
const AUDITOR_DECISIONS: Record<AuditorDecision, string> = { APPROVED: 'Approve', REJECTED: 'Reject' };

/**
 * Dialog that records the agent's decision. An agent's approval is provisional until an auditor confirms it.
 */
export function AgentReviewDialog(props: ActionDialogProps) {
  const { gateway } = useSignedIn();
  return (
    <ReviewDialog
      {...props}
      title="Record the agent's review"
      decisions={AGENT_DECISIONS}
      record={async (input) => (await gateway.mutate(VkycRecordAgentReview, { input })).recordAgentReview}
    />
  );
}

/** Dialog that records the auditor's decision, which is final. */
export function AuditorReviewDialog(props: ActionDialogProps) {
  const { gateway } = useSignedIn();
  return (
    <ReviewDialog
      {...props}
      title="Record the auditor's review"
      decisions={AUDITOR_DECISIONS}
      record={async (input) => (await gateway.mutate(VkycRecordAuditorReview, { input })).recordAuditorReview}
    />
  );
}

type Result = VkycRecordAgentReviewMutation['recordAgentReview'];
interface Input<Decision> {
  readonly sessionId: string;
  readonly expectedVersion: number;
  readonly decision: Decision;
  readonly remarks?: string;
  readonly idempotencyKey: string;
}
interface ReviewProps<Decision extends string> extends ActionDialogProps {
  readonly title: string;
  readonly decisions: Readonly<Record<Decision, string>>;
  readonly record: (input: Input<Decision>) => Promise<Result>;
}

function ReviewDialog<Decision extends string>({
  session,
  title,
  decisions,
  record,
  onDone,
  onContinue,
  onClose,
}: ReviewProps<Decision>) {
  const mutation = useMutation<Result>();
  const [decision, setDecision] = useState<Decision>('APPROVED' as Decision);
  const [remarks, setRemarks] = useState('');
  const approves = decision === 'APPROVED';

  const submit = () => {
    const input = {
      sessionId: session.id,
      expectedVersion: session.version,
      decision,
      ...(remarks && { remarks }),
    };
    void mutation.run(
      (idempotencyKey) => record({ ...input, idempotencyKey }),
      input,
      (success) => onDone(success.session),
    );
  };

  return (
    <Dialog title={title} onClose={onClose}>
      <p className={style.now}>
        {session.verificationId}: {session.statusInfo.explanation}
      </p>
      <Form problems={mutation.problems} onSubmit={submit}>
        <Choice label="Decision" options={decisions} value={decision} onChange={setDecision} />
        <Field
          label={approves ? 'Remarks (optional)' : 'Remarks'}
          name="remarks"
          rows={4}
          maxLength={2000}
          value={remarks}
          onChange={setRemarks}
          hint={
            approves
              ? 'Visible to staff only.'
              : 'Give the reason. Visible to staff only, and kept as evidence.'
          }
        />
        <MutationNotice mutation={mutation} before={session} onContinue={onContinue} fields={['remarks']} />
        <div className={style.buttons}>
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" look="primary" isPending={mutation.pending}>
            Submit review
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
