import { useState } from 'react';
import { useViewerAndGateway } from '../gateway/signed-in.tsx';
import { TranslatedGatewayText } from '../language/gateway-text.tsx';
import { texts } from '../language/texts.ts';
import { Dialog } from '../look/dialog.tsx';
import { CheckboxField, Field, Form, RadioField } from '../look/fields.tsx';
import { APPROVAL_DOUBT_REASONS, REVIEW_REASON_LABELS } from '../look/labels.ts';
import {
  type AgentDecision,
  type ReviewReason,
  VkycRecordAgentReview,
  type VkycRecordAgentReviewMutation,
  VkycRecordAuditorReview,
} from '../operations.ts';
import type { ActionDialogProps } from './action-dialog.ts';
import { ConfirmButtons, findFirstMissing } from './confirm.tsx';
import style from './dialogs.module.css';
import { MutationFailureNotice, useMutation } from './mutation.tsx';

/** Texts of a decision: the option, what the decision means, and the button that records it. */
type DecisionTexts = (typeof texts.acting.review.agentDecisions)[AgentDecision];

const COMPLETE = { YES: texts.acting.review.yes, NO: texts.acting.review.no };
type Complete = keyof typeof COMPLETE;

/**
 * Dialog that records the agent's decision. An agent's approval is provisional until an auditor confirms it.
 */
export function AgentReviewDialog(props: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  const { status, subStatus } = props.session.statusInfo;
  return (
    <ReviewDialog
      {...props}
      title={texts.acting.review.agentTitle}
      decisions={texts.acting.review.agentDecisions}
      // An agent who ended the call knows that it was complete.
      asksIfComplete={status !== 'AGENT_REVIEWED' && subStatus !== 'AGENT_ENDED_CALL'}
      record={async (input) => (await gateway.mutate(VkycRecordAgentReview, { input })).recordAgentReview}
    />
  );
}

/** Dialog that records the auditor's decision, which is final. */
export function AuditorReviewDialog(props: ActionDialogProps) {
  const { gateway } = useViewerAndGateway();
  return (
    <ReviewDialog
      {...props}
      title={texts.acting.review.auditorTitle}
      decisions={texts.acting.review.auditorDecisions}
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
  const missing = findFirstMissing(
    [!decision, texts.acting.review.chooseDecision],
    [asksIfComplete && !complete, texts.acting.review.sayIfComplete],
    [approves && complete === 'NO', texts.acting.review.incomplete],
    [!approves && reasons.length === 0, texts.acting.review.chooseReasons],
    [needsRemarks && !remarks.trim(), texts.acting.review.writeRemarks],
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
        {session.verificationId}:{' '}
        <TranslatedGatewayText>{session.statusInfo.explanation}</TranslatedGatewayText>
      </p>
      {session.agentRemarks && (
        <dl className={style.facts}>
          <div>
            <dt>{texts.acting.review.providerRemarks}</dt>
            <dd>{session.agentRemarks}</dd>
          </div>
        </dl>
      )}
      <Form problems={mutation.problems}>
        <RadioField
          label={texts.acting.review.decision}
          options={pickTexts(decisions, 'label')}
          meanings={pickTexts(decisions, 'meaning')}
          value={decision}
          onChange={setDecision}
        />
        {asksIfComplete && (
          <RadioField
            label={texts.acting.review.wasComplete}
            options={COMPLETE}
            value={complete}
            onChange={setComplete}
          />
        )}
        {decision && (
          <CheckboxField
            label={approves ? texts.acting.review.noticed : texts.acting.review.reasons}
            name="reasons"
            options={listReasons(decision, complete)}
            values={reasons}
            onChange={setChosen}
          />
        )}
        <Field
          label={
            needsRemarks ? texts.acting.review.remarks : texts.acting.optional(texts.acting.review.remarks)
          }
          name="remarks"
          rows={3}
          maxLength={2000}
          value={remarks}
          onChange={setRemarks}
          hint={texts.acting.staffOnly}
        />
        {decision && !approves && (
          <Field
            label={texts.acting.optional(texts.acting.review.customerMessage)}
            name="customerMessage"
            rows={2}
            maxLength={500}
            value={customerMessage}
            onChange={setCustomerMessage}
            hint={texts.acting.review.customerMessageHint}
          />
        )}
        <MutationFailureNotice mutation={mutation} before={session} onContinue={goOn} fields={FIELDS} />
        <ConfirmButtons
          missing={missing}
          label={decision ? decisions[decision].confirm : texts.acting.review.confirm}
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
    (Object.entries(decisions) as [Decision, DecisionTexts][]).map(([decision, says]) => [
      decision,
      says[name],
    ]),
  ) as Record<Decision, string>;

/** Whether a review with this decision may have the reason; the gateway refuses all other reasons. */
const isPossibleReason = (reason: ReviewReason, decision: string | null, complete: Complete | null) =>
  !(decision === 'APPROVED' && !APPROVAL_DOUBT_REASONS.includes(reason)) &&
  !(complete === 'YES' && reason === 'CALL_INCOMPLETE');

const listReasons = (decision: string, complete: Complete | null) =>
  Object.fromEntries(
    Object.entries(REVIEW_REASON_LABELS).filter(([reason]) =>
      isPossibleReason(reason as ReviewReason, decision, complete),
    ),
  ) as Record<ReviewReason, string>;
