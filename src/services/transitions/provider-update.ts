import type { LockedSession } from '../../db/sessions/sessions.ts';
import type { VerificationRawStatus } from '../../db/sessions/transitions.ts';
import { IdentityMismatch } from '../../domain/errors.ts';
import { findIdentityMismatch, type IdentityField } from '../../domain/identity.ts';
import type { ProviderSession } from '../../domain/ports.ts';
import {
  isEventTimeTooFarAhead,
  type ObservedEventTime,
  type ProviderStatusUpdate,
  type TransitionSource,
} from '../../domain/session.ts';

/**
 * Call that asks the provider about a verification, with the facts that tell whether a webhook was recorded
 * while the call was running.
 */
export interface ProviderQuery {
  /** Name of the provider that is asked. */
  readonly provider: string;
  readonly verificationId: string;
  /** Time of the request, by our clock. */
  readonly at: Date;
  /** Number of the session's webhooks recorded at the time of the request. */
  readonly webhooks: number;
}

/** Provider update from a webhook. */
export interface WebhookUpdate {
  readonly source: 'WEBHOOK';
  /** Always null: the provider caused the update. */
  readonly actor: null;
  /** Name of the provider that sent the webhook. */
  readonly provider: string;
  readonly payload: ProviderSession;
  /** Time of the event, by the provider's clock. */
  readonly eventTime: Date;
  /** Time at which the webhook arrived, by our clock. */
  readonly receivedAt: Date;
}

/** Provider update from an answer to a call. Answers carry no event time. */
export interface AnswerUpdate {
  readonly source: Exclude<TransitionSource, 'WEBHOOK'>;
  /** Viewer whose mutation started the session by this call; null for a poll. */
  readonly actor: string | null;
  readonly payload: ProviderSession;
  readonly eventTime: null;
  readonly query: ProviderQuery;
}

/** Provider update on a session, with its source. */
export type ProviderUpdate = WebhookUpdate | AnswerUpdate;

/**
 * Update from a webhook that is not stored yet, with the SHA-256 of its body, which identifies a repeated
 * delivery.
 */
export interface UnstoredWebhookUpdate {
  readonly update: WebhookUpdate;
  readonly bodyHash: Buffer;
}

/**
 * Removes personal data from a provider update. Used for a session whose person was erased: the provider may
 * still send updates about the session years later.
 */
export const withoutPersonalData = (update: ProviderUpdate): ProviderUpdate => ({
  ...update,
  payload: { ...update.payload, link: null, agentRemarks: null, auditorRemarks: null },
});

/**
 * Returns the verification id of the session on which an update is recorded: for an answer the id that was
 * asked about, for a webhook the id in its body.
 */
export const getVerificationIdOfUpdate = (update: ProviderUpdate): string =>
  update.eventTime ? update.payload.verificationId : update.query.verificationId;

/** Returns the name of the provider that sent the update. */
export const getProviderOfUpdate = (update: ProviderUpdate): string =>
  update.eventTime ? update.provider : update.query.provider;

/**
 * Refuses an answer about another verification than the one asked about. A provider's client should already
 * refuse such an answer; this check does not rely on the client.
 */
export function assertAnswerMatchesQuery(update: ProviderUpdate): void {
  const verificationId = getVerificationIdOfUpdate(update);
  if (update.payload.verificationId !== verificationId)
    throw new IdentityMismatch('verificationId', verificationId);
}

/** Returns which id in an update contradicts the session that it would be recorded on; null if all ids match. */
export const findMismatchedIdField = (session: LockedSession, update: ProviderUpdate): IdentityField | null =>
  findIdentityMismatch(
    { ...session, userId: session.providerUserId },
    { ...update.payload, provider: getProviderOfUpdate(update) },
  );

export const toRawStatus = (update: ProviderUpdate): VerificationRawStatus => ({
  verificationId: getVerificationIdOfUpdate(update),
  rawStatus: update.payload.rawStatus,
  rawSubStatus: update.payload.rawSubStatus,
});

/**
 * Returns the source to store with meetings and reviews that the provider reported. The answer to a start
 * counts as a POLL, because MUTATION would mean that a user of this API made the review.
 */
export const toTransitionSource = ({ eventTime }: ProviderUpdate) => (eventTime ? 'WEBHOOK' : 'POLL');

/** Returns the event time that orders a webhook; null for an answer, and for a time too far ahead of our clock. */
export const getOrderingTime = (update: ProviderUpdate): Date | null =>
  update.eventTime && unlessTooFarAhead(update.eventTime, update.receivedAt);

/** Returns a time by the provider's clock; null if it is too far ahead of our clock. */
export const unlessTooFarAhead = (time: Date | null, now: Date): Date | null =>
  time && !isEventTimeTooFarAhead(time, now) ? time : null;

export function toStatusUpdate(
  update: ProviderUpdate,
  seen: readonly ObservedEventTime[],
  before: Pick<LockedSession, 'providerMeetingAt'> | null,
): ProviderStatusUpdate {
  const { rawStatus, rawSubStatus, meetingAt } = update.payload;
  const newMeetingAt = meetingAt?.getTime() === before?.providerMeetingAt?.getTime() ? null : meetingAt;
  const raw = { rawStatus, rawSubStatus, seen };
  return update.eventTime
    ? { ...raw, kind: 'WEBHOOK', eventTime: update.eventTime, receivedAt: update.receivedAt }
    : {
        ...raw,
        kind: 'ANSWER',
        webhooksWhenAsked: update.query.webhooks,
        askedAt: update.query.at,
        newMeetingAt,
      };
}
