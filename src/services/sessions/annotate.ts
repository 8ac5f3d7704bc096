import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type AnnotationRow, findAnnotationsById } from '../../db/sessions/annotations.ts';
import { type SessionRow, toSessionState } from '../../db/sessions/sessions.ts';
import { findNewestDisputingTransitions } from '../../db/sessions/transitions.ts';
import type { Viewer } from '../../domain/access.ts';
import { type ActionFacts, findAssigneeDenial } from '../../domain/actions.ts';
import {
  type AnnotationKind,
  CLOSURE_REASONS,
  type ClosureOutcome,
  type ClosureReason,
  DISPUTE_RESOLUTIONS,
  type DisputeResolutionChoice,
  ESCALATION_REASONS,
  type EscalationReason,
  SUB_STATUS_BY_CLOSURE_OUTCOME,
} from '../../domain/annotations.ts';
import { Refusal } from '../../domain/errors.ts';
import { invariant } from '../../domain/invariant.ts';
import {
  APPROVED_SUB_STATUSES,
  findAcceptableProviderDecision,
  type SessionAction,
  type Verdict,
} from '../../domain/session.ts';
import {
  ALL_PAIRS,
  getStatusInfo,
  type StatusPair,
  type SubStatus,
  toStatusPair,
} from '../../domain/status.ts';
import {
  canonicalizeSubject,
  isCanonicalSubject,
  NON_CANONICAL_SUBJECT_MESSAGE,
} from '../../domain/subject.ts';
import { MAX_TEXT_CHARACTERS } from '../../domain/text.ts';
import type { TransitionWriter } from '../transitions/transition-writer.ts';
import {
  type ActionDependencies,
  actionInputSchema,
  performAction,
  throwIfDenied,
} from './perform-action.ts';
import {
  createIndexedTextSchema,
  createKeyOfSchema,
  createRequiredTextSchema,
  createTextSchema,
  parseOrRefuse,
  refuseField,
  toOptionalSchema,
} from './validation.ts';

/** Maximum length of the `sub` of a token. */
const MAX_SUBJECT = 200;

const ALL_SUB_STATUSES = [...new Set(ALL_PAIRS.map(({ subStatus }) => subStatus))] as [
  SubStatus,
  ...SubStatus[],
];

/** Schema of an input with a coded reason and an optional note (see `needsNote`). */
const withReason = <Reason extends string>(reasons: Record<Reason, unknown>) =>
  actionInputSchema.extend({
    reason: createKeyOfSchema(reasons),
    note: toOptionalSchema(createTextSchema(MAX_TEXT_CHARACTERS.note)),
  });

/** Rule that the reason OTHER needs a note, which explains it. */
const needsNote = {
  path: ['note'],
  message: 'must not be empty if the reason is OTHER',
  // Runs even if other fields are invalid, so that all problems are reported together.
  when: () => true,
};

const closeInput = withReason<ClosureReason>(CLOSURE_REASONS)
  .extend({ outcome: createKeyOfSchema<ClosureOutcome>(SUB_STATUS_BY_CLOSURE_OUTCOME) })
  .refine(({ reason, note }) => reason !== 'OTHER' || note, needsNote);
const escalateInput = withReason<EscalationReason>(ESCALATION_REASONS).refine(
  ({ reason, note }) => reason !== 'OTHER' || note,
  needsNote,
);
const noteInput = actionInputSchema.extend({ note: createRequiredTextSchema(MAX_TEXT_CHARACTERS.note) });
const resolveDisputeInput = noteInput.extend({
  resolution: createKeyOfSchema<DisputeResolutionChoice>(DISPUTE_RESOLUTIONS),
  expectedSubStatus: toOptionalSchema(z.enum(ALL_SUB_STATUSES)),
});

const assignInput = actionInputSchema.extend({
  agent: createIndexedTextSchema(MAX_SUBJECT, (text) =>
    isCanonicalSubject(text) ? null : NON_CANONICAL_SUBJECT_MESSAGE,
  ).transform(canonicalizeSubject),
  until: toOptionalSchema(z.date()),
});

/**
 * Session after the annotation, the annotation, and whether an earlier call with the same idempotency key recorded
 * the annotation.
 */
export interface AnnotationResult {
  readonly session: SessionRow;
  readonly annotation: AnnotationRow;
  readonly replayed: boolean;
}

/**
 * Function that records one kind of annotation.
 *
 * @throws Refusal if the input is invalid or the action is not allowed
 */
export type RecordAnnotation = (
  dependencies: ActionDependencies,
  viewer: Viewer,
  raw: unknown,
) => Promise<AnnotationResult>;

/** Transition to record with an annotation. */
interface NextTransition {
  readonly pair: StatusPair;
  readonly verdict: Verdict;
  /** New value of the session's `meetingAt`; left out if the booked meeting stays. */
  readonly meetingAt?: null;
  /** New values of the session's assignment; left out if it stays. */
  readonly assignedAgent?: string;
  readonly assignedAt?: Date;
  readonly assignedUntil?: Date | null;
}

/** Plans the transition of an annotation on a session whose row is locked. */
type Plan = (writer: TransitionWriter, session: SessionRow, facts: ActionFacts) => Promise<NextTransition>;

/**
 * Closes a session, and cancels its booked meeting. A session that has ended keeps its status: the transition
 * records the closure (verdict ENDED), and the session then waits for nobody.
 */
export const closeSession: RecordAnnotation = async (dependencies, viewer, raw) => {
  const input = parseOrRefuse(closeInput, raw);
  return annotate(dependencies, viewer, 'CLOSE', input, 'CLOSURE', input.reason, async (writer, session) => {
    await writer.changes.endMeeting(session.id, 'CANCELLED', viewer.id);
    return {
      pair: toStatusPair(SUB_STATUS_BY_CLOSURE_OUTCOME[input.outcome]),
      verdict: getStatusInfo(session).terminal ? 'ENDED' : 'MOVED',
      meetingAt: null,
    };
  });
};

/** Adds a note for other staff. */
export const addNote: RecordAnnotation = async (dependencies, viewer, raw) => {
  const input = parseOrRefuse(noteInput, raw);
  return annotate(dependencies, viewer, 'ADD_NOTE', input, 'NOTE', null, keepStatus('NOTED'));
};

/** Escalates a session. It stays escalated until `resolveEscalation`. */
export const escalateSession: RecordAnnotation = async (dependencies, viewer, raw) => {
  const input = parseOrRefuse(escalateInput, raw);
  return annotate(
    dependencies,
    viewer,
    'ESCALATE',
    input,
    'ESCALATION',
    input.reason,
    keepStatus('ESCALATED'),
  );
};

/** Ends the escalation of a session, with a note of its result. */
export const resolveEscalation: RecordAnnotation = async (dependencies, viewer, raw) => {
  const input = parseOrRefuse(noteInput, raw);
  const kind = 'ESCALATION_RESOLUTION';
  const transition = keepStatus('ESCALATION_RESOLVED');
  return annotate(dependencies, viewer, 'RESOLVE_ESCALATION', input, kind, null, transition);
};

/**
 * Decides a dispute: the session keeps its status pair, or takes the pair that the provider decided. The provider may
 * decide again without a new version of the session, so `expectedSubStatus` protects the result; an approval of the
 * provider is never accepted without it.
 */
export const resolveDispute: RecordAnnotation = async (dependencies, viewer, raw) => {
  const input = parseOrRefuse(resolveDisputeInput, raw);
  const { resolution, expectedSubStatus } = input;
  const kind = 'DISPUTE_RESOLUTION';
  return annotate(
    dependencies,
    viewer,
    'RESOLVE_DISPUTE',
    input,
    kind,
    resolution,
    async (writer, session) => {
      const pair = resolution === 'KEEP_OURS' ? session : await readProviderDecision(writer, session);
      if (!pair) throw withdrawn(session);
      if (
        expectedSubStatus === undefined &&
        resolution === 'ACCEPT_PROVIDER' &&
        APPROVED_SUB_STATUSES.includes(pair.subStatus)
      )
        refuseField(['expectedSubStatus'], mustExpect(pair));
      if (expectedSubStatus !== undefined && expectedSubStatus !== pair.subStatus)
        throw decidedOtherwise(session, pair);
      return { pair, verdict: 'RESOLVED' };
    },
  );
};

/** Assigns a session to an agent or auditor, whoever had it before. */
export const assignAgent: RecordAnnotation = async (dependencies, viewer, raw) => {
  const input = parseOrRefuse(assignInput, raw);
  const now = dependencies.clock.now();
  const plan: Plan = async (_writer, session, facts) => {
    throwIfDenied('ASSIGN', session, findAssigneeDenial(facts, input.agent));
    if (input.until && input.until <= now)
      throwIfDenied(
        'ASSIGN',
        session,
        'The end of the assignment is in the past: choose a time in the future.',
      );
    return {
      pair: session,
      verdict: 'ASSIGNED',
      assignedAgent: input.agent,
      assignedAt: now,
      assignedUntil: input.until ?? null,
    };
  };
  return annotate(dependencies, viewer, 'ASSIGN', input, 'ASSIGNMENT', input.agent, plan);
};

/** Ends the assignment of a session. */
export const unassignAgent: RecordAnnotation = async (dependencies, viewer, raw) => {
  const input = parseOrRefuse(actionInputSchema, raw);
  return annotate(dependencies, viewer, 'UNASSIGN', input, 'UNASSIGNMENT', null, keepStatus('UNASSIGNED'));
};
const mustExpect = ({ subStatus }: StatusPair) =>
  `must be ${subStatus} to accept the provider's approval: read the session again, and pass its providerDecision`;

const withdrawn = (session: SessionRow) =>
  new Refusal(
    'ACTION_NOT_ALLOWED',
    "The provider's newest status does not contradict the session any more: keep the session's decision (KEEP_OURS).",
    { sessionId: session.id, action: 'RESOLVE_DISPUTE' },
  );

const decidedOtherwise = (session: SessionRow, { subStatus }: StatusPair) =>
  new Refusal(
    'VERSION_CONFLICT',
    `This resolution would move the session to ${subStatus}, not to the expected sub-status: the decisions have changed since you read them. Read the session again and decide again.`,
    { sessionId: session.id },
  );

/** Returns a function that plans a transition which keeps the session's status pair. */
const keepStatus = (verdict: Verdict) => async (_writer: TransitionWriter, session: SessionRow) => ({
  pair: session,
  verdict,
});

/**
 * Returns the status pair that the provider decided. This is the provider's newest status, if it contradicts the
 * session. If the newest status agrees with the session, this is the older decision of the provider that arrived
 * late and made the session disputed. Null if the provider has reported something else since the decision that made
 * the session disputed, such as a rejection after an approval: the older decision must then not be accepted.
 */
async function readProviderDecision(
  writer: TransitionWriter,
  session: SessionRow,
): Promise<StatusPair | null> {
  const [disputing] = await findNewestDisputingTransitions(writer.tx, [session.id]);
  invariant(disputing, 'session is disputed but its log has no disputing transition');
  return findAcceptableProviderDecision(toSessionState(session), disputing);
}

async function annotate(
  dependencies: ActionDependencies,
  viewer: Viewer,
  action: SessionAction,
  input: z.infer<typeof actionInputSchema> & { readonly note?: string | undefined },
  kind: AnnotationKind,
  code: string | null,
  next: Plan,
): Promise<AnnotationResult> {
  const { outcomeId, ...performed } = await performAction(
    dependencies,
    viewer,
    action,
    input,
    async (writer, session, facts) => {
      const { pair, verdict, ...changes } = await next(writer, session, facts);
      const after = await writer.applyOwn({ ...session, ...changes }, pair, verdict, {
        source: 'MUTATION',
        actor: viewer.id,
      });
      const id = uuidv7();
      writer.changes.addAnnotation({
        id,
        sessionId: session.id,
        sequence: after.lastSequence,
        kind,
        code,
        text: input.note || null,
        author: viewer.id,
        recordedAt: changes.assignedAt ?? dependencies.clock.now(),
      });
      return { session: after, outcomeId: id };
    },
  );
  const [annotation] = await findAnnotationsById(dependencies.db, [outcomeId]);
  invariant(annotation, `${action} committed but its annotation is missing`);
  return { ...performed, annotation };
}
