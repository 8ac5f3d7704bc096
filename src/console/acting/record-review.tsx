import { useState } from 'react';
import { useSignedIn } from '../gateway/signed-in.tsx';
import { Dialog } from '../look/dialog.tsx';
import { Checks, Choice, Field, Form } from '../look/fields.tsx';
import { APPROVAL_REASONS, REVIEW_REASON_LABELS } from '../look/labels.ts';
import {
  type AgentDecision,
  type AuditorDecision,
  type ReviewReason,
  VkycRecordAgentReview,
  type VkycRecordAgentReviewMutation,
  VkycRecordAuditorReview,
} from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import { ConfirmButtons, findMissing } from './confirm.tsx';
import style from './dialogs.module.css';
import { MutationNotice, useMutation } from './mutation.tsx';

/** Texts of a decision: the option, what the decision means, and the button that records it. */
interface DecisionTexts {
  readonly label: string;
  readonly meaning: string;
  readonly confirm: string;
}

const AGENT_DECISIONS: Record<AgentDecision, DecisionTexts> = {
  APPROVED: {
    label: 'Approve',
    meaning: 'An auditor decides next.',
    confirm: 'Approve, and ask an auditor',
  },
  REJECTED: {
    label: 'Reject',
    meaning: 'The customer is turned down; no auditor is asked.',
    confirm: 'Reject the customer',
  },
  UNABLE_TO_VALIDATE: {
    label: 'Unable to validate',
    meaning: 'Another call is needed.',
    confirm: 'Record that another call is needed',
  },
};
const AUDITOR_DECISIONS: Record<AuditorDecision, DecisionTexts> = {
  APPROVED: {
    label: 'Approve',
    meaning: 'The customer is verified, and the session is over.',
    confirm: 'Approve the customer for good',
  },
  REJECTED: {
    label: 'Reject',
    meaning: 'The customer is turned down, and the session is over.',
    confirm: 'Reject the customer for good',
  },
};

const COMPLETE = { YES: 'Yes', NO: 'No' } as const;
type Complete = keyof typeof COMPLETE;

/**
 * Dialog that records the agent's decision. An agent's approval is provisional until an auditor confirms it.
 */
export function AgentReviewDialog(props: ActionDialogProps) {
  const { gateway } = useSignedIn();
  const { status, subStatus } = props.session.statusInfo;
  return (
    <ReviewDialog
      {...props}
      title="Record the agent's review"
      decisions={AGENT_DECISIONS}
      // An agent who ended the call knows that it was complete.
      asksIfComplete={status !== 'AGENT_REVIEWED' && subStatus !== 'AGENT_ENDED_CALL'}
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
      asksIfComplete={false}
      record={async (input) => (await gateway.mutate(VkycRecordAuditorReview, { input })).recordAuditorReview}
    />
  );
}

type Result = VkycRecordAgentReviewMutation['recordAgentReview'];
interface Input<Decision> {
  readonly sessionId: string;
  readonly expectedVersion: number;
  readonly decision: Decision;
  readonly reasons: ReviewReason[];
  readonly remarks?: string;
  readonly customerMessage?: string;
  readonly callComplete?: boolean;
  readonly idempotencyKey: string;
}
interface ReviewProps<Decision extends string> extends ActionDialogProps {
  readonly title: string;
  readonly decisions: Readonly<Record<Decision, DecisionTexts>>;
  readonly asksIfComplete: boolean;
  readonly record: (input: Input<Decision>) => Promise<Result>;
}

/** Fields whose problems the form itself shows. */
const FIELDS = ['reasons', 'remarks', 'customerMessage'];

function ReviewDialog<Decision extends string>({
  session,
  title,
  decisions,
  asksIfComplete,
  record,
  onDone,
  onContinue,
  onClose,
}: ReviewProps<Decision>) {
  const mutation = useMutation<Result>();
  const [decision, setDecision] = useState<Decision | null>(null);
  const [complete, setComplete] = useState<Complete | null>(null);
  const [chosen, setChosen] = useState<readonly ReviewReason[]>([]);
  const [remarks, setRemarks] = useState('');
  const [customerMessage, setCustomerMessage] = useState('');
  const approves = decision === 'APPROVED';
  const reasons = chosen.filter((reason) => isPossibleReason(reason, decision, complete));
  const needsRemarks = reasons.some((reason) => reason === 'OTHER');
  const missing = findMissing(
    [!decision, 'Choose a decision.'],
    [asksIfComplete && !complete, 'Say whether the call was complete.'],
    [approves && complete === 'NO', 'An incomplete call cannot be approved.'],
    [!approves && reasons.length === 0, 'Choose at least one reason.'],
    [needsRemarks && !remarks.trim(), 'Write remarks: they say what the other reason is.'],
  );

  const submit = () => {
    if (!decision) return;
    const input = {
      sessionId: session.id,
      expectedVersion: session.version,
      decision,
      reasons,
      ...(remarks.trim() && { remarks }),
      ...(!approves && customerMessage.trim() && { customerMessage }),
      ...(asksIfComplete && { callComplete: complete === 'YES' }),
    };
    void mutation.run(
      (idempotencyKey) => record({ ...input, idempotencyKey }),
      input,
      (success) => onDone(success.session),
    );
  };
  // Discards the decision after a version conflict: the user must decide again, about the new status.
  const goOn = () => {
    setDecision(null);
    onContinue();
  };

  return (
    <Dialog title={title} onClose={onClose}>
      <p className={style.now}>
        {session.verificationId}: {session.statusInfo.explanation}
      </p>
      {session.agentRemarks && (
        <dl className={style.facts}>
          <div>
            <dt>Remarks of the agent at the provider</dt>
            <dd>{session.agentRemarks}</dd>
          </div>
        </dl>
      )}
      <Form problems={mutation.problems}>
        <Choice
          label="Decision"
          options={pickTexts(decisions, 'label')}
          meanings={pickTexts(decisions, 'meaning')}
          value={decision}
          onChange={setDecision}
        />
        {asksIfComplete && (
          <Choice label="Was the call complete?" options={COMPLETE} value={complete} onChange={setComplete} />
        )}
        {decision && (
          <Checks
            label={approves ? 'Noticed, but no obstacle (optional)' : 'Reasons'}
            name="reasons"
            options={listReasons(decision, complete)}
            values={reasons}
            onChange={setChosen}
          />
        )}
        <Field
          label={needsRemarks ? 'Remarks' : 'Remarks (optional)'}
          name="remarks"
          rows={3}
          maxLength={2000}
          value={remarks}
          onChange={setRemarks}
          hint="Visible to staff only, and kept as evidence."
        />
        {decision && !approves && (
          <Field
            label="Message to the customer (optional)"
            name="customerMessage"
            rows={2}
            maxLength={500}
            value={customerMessage}
            onChange={setCustomerMessage}
            hint="The customer reads it together with a text for each reason."
          />
        )}
        <MutationNotice mutation={mutation} before={session} onContinue={goOn} fields={FIELDS} />
        <ConfirmButtons
          missing={missing}
          label={decision ? decisions[decision].confirm : 'Submit review'}
          look={decision === 'REJECTED' ? 'danger' : 'primary'}
          isPending={mutation.pending}
          onConfirm={submit}
          onClose={onClose}
        />
      </Form>
    </Dialog>
  );
}

const pickTexts = <Decision extends string>(
  decisions: Readonly<Record<Decision, DecisionTexts>>,
  name: keyof DecisionTexts,
) =>
  Object.fromEntries(
    (Object.entries(decisions) as [Decision, DecisionTexts][]).map(([decision, texts]) => [
      decision,
      texts[name],
    ]),
  ) as Record<Decision, string>;

/** Whether a review with this decision may have the reason; the gateway refuses all other reasons. */
const isPossibleReason = (reason: ReviewReason, decision: string | null, complete: Complete | null) =>
  !(decision === 'APPROVED' && !APPROVAL_REASONS.includes(reason)) &&
  !(complete === 'YES' && reason === 'CALL_INCOMPLETE');

const listReasons = (decision: string, complete: Complete | null) =>
  Object.fromEntries(
    Object.entries(REVIEW_REASON_LABELS).filter(([reason]) =>
      isPossibleReason(reason as ReviewReason, decision, complete),
    ),
  ) as Record<ReviewReason, string>;
