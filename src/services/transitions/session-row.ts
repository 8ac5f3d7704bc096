import type { SessionRow } from '../../db/sessions/sessions.ts';
import { getAgentRemarksSealingContext, getLinkSealingContext } from '../../db/sessions/sessions.ts';
import type { TransitionRow } from '../../db/sessions/transitions.ts';
import { type DeadlineMinutes, findDueAt } from '../../domain/deadlines.ts';
import {
  isAppliedVerdict,
  type ProjectedSessionState,
  type ProviderUpdateDecision,
} from '../../domain/session.ts';
import { getAwaitedParty } from '../../domain/status.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { getOrderingTime, type ProviderUpdate, unlessTooFarAhead } from './provider-update.ts';

/**
 * Returns the columns of a session that are derived from its log of transitions (projection). A transition that did
 * not change the status leaves the raw status and `statusSince` unchanged.
 */
export function buildProjectionColumns(
  state: ProjectedSessionState,
  transition: TransitionRow,
  deadlines: DeadlineMinutes,
  now: Date,
  before?: SessionRow,
) {
  const applied = isAppliedVerdict(transition.verdict) || !before;
  const statusSince = applied ? transition.recordedAt : before.statusSince;
  return {
    status: state.status,
    subStatus: state.subStatus,
    version: state.version,
    lastSequence: state.lastSequence,
    disputed: state.disputed,
    escalated: state.escalated,
    closed: state.closed,
    replaced: state.replaced,
    waitingOn: getAwaitedParty(state, state),
    decidedHere: state.decidedHere,
    providerStatus: state.provider.rawStatus,
    providerSubStatus: state.provider.rawSubStatus,
    // Who works on the session is not part of the log's state, but whether anybody does is.
    assignedAgent: state.assigned ? (before?.assignedAgent ?? null) : null,
    assignedAt: state.assigned ? (before?.assignedAt ?? null) : null,
    assignedUntil: state.assigned ? (before?.assignedUntil ?? null) : null,
    rawStatus: applied ? transition.rawStatus : before.rawStatus,
    rawSubStatus: applied ? transition.rawSubStatus : before.rawSubStatus,
    statusSince,
    dueAt: findDueAt({ ...state, statusSince }, deadlines),
    updatedAt: now,
  };
}

/**
 * Returns the columns that a provider update sets in addition to the status. A field that the provider left out
 * keeps its stored value.
 */
export function buildProviderColumns(
  sealer: Sealer,
  sessionId: string,
  before: SessionRow | null,
  update: ProviderUpdate,
  now: Date,
) {
  const { payload } = update;
  return {
    referenceId: payload.referenceId ?? before?.referenceId ?? null,
    link: payload.link ? sealer.seal(payload.link, getLinkSealingContext(sessionId)) : (before?.link ?? null),
    agentRemarks: sealRemarks(sealer, sessionId, before?.agentRemarks ?? null, update),
    linkExpiresAt: payload.linkExpiresAt ?? before?.linkExpiresAt ?? null,
    providerMeetingAt: payload.meetingAt ?? before?.providerMeetingAt ?? null,
    meetingAt: isNewMeetingTime(payload.meetingAt, before) ? payload.meetingAt : (before?.meetingAt ?? null),
    ...providerTimes(before, update, now),
  };
}

/**
 * Returns the encrypted remarks of the provider's agent after an update. Returns `stored` itself if the update has
 * no remarks or repeats the stored text, as each answer of the provider does.
 */
function sealRemarks(
  sealer: Sealer,
  sessionId: string,
  stored: Buffer | null,
  { payload: { agentRemarks } }: ProviderUpdate,
): Buffer | null {
  const context = getAgentRemarksSealingContext(sessionId);
  if (!agentRemarks || (stored && readsAs(sealer, stored, context, agentRemarks))) return stored;
  return sealer.seal(agentRemarks, context);
}

function readsAs(sealer: Sealer, sealed: Buffer, context: string, text: string): boolean {
  try {
    return sealer.open(sealed, context).toString('utf8') === text;
  } catch {
    // This replica lacks the key for now, or the stored value was edited in the database. The new text replaces it.
    return false;
  }
}

/**
 * Returns the columns that a late update (older than the newest one) sets: those that order later updates, and
 * remarks of the agent if none are stored.
 */
export const buildLateUpdateColumns = (
  sealer: Sealer,
  before: SessionRow,
  update: ProviderUpdate,
  now: Date,
) => ({
  ...providerTimes(before, update, now),
  agentRemarks: before.agentRemarks ?? sealRemarks(sealer, before.id, null, update),
});

/**
 * Returns the columns by which later updates are ordered.
 */
const providerTimes = (before: SessionRow | null, update: ProviderUpdate, now: Date) => ({
  providerEventTime: findLatest(
    unlessTooFarAhead(before?.providerEventTime ?? null, now),
    getOrderingTime(update),
  ),
  providerWebhooks: (before?.providerWebhooks ?? 0) + (update.eventTime ? 1 : 0),
});

/**
 * Returns the columns common to all new transitions of a session: the next sequence, and the status pair before it.
 */
export const buildTransitionBase = (sessionId: string, before: SessionRow | null, recordedAt: Date) => ({
  sessionId,
  sequence: (before?.lastSequence ?? 0) + 1,
  fromStatus: before?.status ?? null,
  fromSubStatus: before?.subStatus ?? null,
  recordedAt,
});

/**
 * Builds the transition that records a provider update, with the status pair and the verdict from
 * `evaluateProviderUpdate`.
 */
export const buildProviderTransition = (
  sessionId: string,
  before: SessionRow | null,
  update: ProviderUpdate,
  { pair, verdict }: Extract<ProviderUpdateDecision, { kind: 'TRANSITION' }>,
  recordedAt: Date,
): TransitionRow => ({
  ...buildTransitionBase(sessionId, before, recordedAt),
  ...pair,
  rawStatus: update.payload.rawStatus,
  rawSubStatus: update.payload.rawSubStatus,
  verdict,
  source: update.source,
  actor: update.actor,
  occurredAt: update.eventTime,
});

/**
 * Returns whether the provider reports another meeting time than in its last update. An equal time is no new
 * booking, because the provider repeats the time in every later update.
 */
const isNewMeetingTime = (meetingAt: Date | null, before: SessionRow | null): boolean =>
  meetingAt !== null && meetingAt.getTime() !== before?.providerMeetingAt?.getTime();

const findLatest = (a: Date | null, b: Date | null): Date | null => (a && b ? (a > b ? a : b) : (a ?? b));
