import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import {
  cancelReasonContext,
  findBookedMeeting,
  findMeetings,
  type MeetingRow,
} from '../../db/sessions/meetings.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import { recordedAs, type Viewer } from '../../domain/access.ts';
import { awaitsReview } from '../../domain/actions.ts';
import { invariant } from '../../domain/invariant.ts';
import { MAX_CHARACTERS } from '../../domain/text.ts';
import { encryptWithCommitment } from '../transitions/audited-writes.ts';
import {
  type ActionDependencies,
  type ActionResult,
  actionInput,
  denyAction,
  performAction,
} from './perform-action.ts';
import { invalidField, optional, text, validate } from './validation.ts';

const FURTHEST_DAYS = 366;

const reason = optional(text(MAX_CHARACTERS.reason));
const cancelInput = actionInput.extend({ reason });

export interface MeetingChanged {
  readonly session: SessionRow;
  readonly meeting: MeetingRow;
  readonly replayed: boolean;
}

/**
 * Books a meeting, or moves the booked meeting. The meeting exists only in the gateway, because the provider
 * has no call for booking meetings. A meeting that takes a session out of review needs a reason.
 *
 * @throws Refusal
 */
export async function scheduleMeeting(
  dependencies: ActionDependencies,
  viewer: Viewer,
  raw: unknown,
): Promise<MeetingChanged> {
  const now = dependencies.clock.now();
  const furthest = new Date(now.getTime() + FURTHEST_DAYS * 86_400_000);
  const input = validate(
    actionInput.extend({ startsAt: z.date().max(furthest, 'must be within a year'), reason }),
    raw,
  );
  const performed = await performAction(
    dependencies,
    viewer,
    'SCHEDULE_MEETING',
    input,
    async (writer, session) => {
      const { linkExpiresAt } = session;
      if (input.startsAt <= now)
        denyAction(
          'SCHEDULE_MEETING',
          session,
          'The start time is in the past: choose a time in the future.',
        );
      if (linkExpiresAt && input.startsAt >= linkExpiresAt) {
        denyAction(
          'SCHEDULE_MEETING',
          session,
          `The start time is after the customer's link expires (${linkExpiresAt.toISOString()}): choose an earlier time.`,
        );
      }
      if (awaitsReview(session) && !input.reason)
        invalidField(['reason'], 'must say why another meeting is needed before the ended call is reviewed');
      await writer.changes.endMeeting(session.id, 'RESCHEDULED');
      const id = uuidv7();
      writer.changes.addMeeting({
        id,
        sessionId: session.id,
        startsAt: input.startsAt,
        status: 'SCHEDULED',
        source: 'MUTATION',
        scheduledBy: recordedAs(viewer),
        createdAt: now,
      });
      const booked = { ...session, meetingAt: input.startsAt };
      const after = await writer.applyDecision(booked, 'USER_MEETING_SCHEDULED', recordedAs(viewer));
      if (input.reason)
        writer.changes.addAnnotation({
          id: uuidv7(),
          sessionId: session.id,
          sequence: after.lastSequence,
          kind: 'MEETING_REASON',
          code: id,
          text: input.reason,
          author: recordedAs(viewer),
          recordedAt: now,
        });
      return { session: after, outcomeId: id };
    },
  );
  return withMeeting(dependencies, performed);
}

/**
 * Cancels the booked meeting.
 *
 * @throws Refusal
 */
export async function cancelMeeting(
  dependencies: ActionDependencies,
  viewer: Viewer,
  raw: unknown,
): Promise<MeetingChanged> {
  const input = validate(cancelInput, raw);
  const performed = await performAction(
    dependencies,
    viewer,
    'CANCEL_MEETING',
    input,
    async (writer, session) => {
      const booked = await findBookedMeeting(writer.tx, session.id);
      invariant(booked, 'CANCEL_MEETING was allowed but no meeting is booked');
      const reason = encryptWithCommitment(
        dependencies.sealer,
        input.reason || null,
        cancelReasonContext(booked.id),
      );
      await writer.changes.endMeeting(session.id, 'CANCELLED', recordedAs(viewer), reason);
      return {
        session: await writer.applyDecision(
          { ...session, meetingAt: null },
          'USER_MEETING_CANCELLED',
          recordedAs(viewer),
        ),
        outcomeId: booked.id,
      };
    },
  );
  return withMeeting(dependencies, performed);
}

async function withMeeting(
  { db }: ActionDependencies,
  { outcomeId, ...performed }: ActionResult,
): Promise<MeetingChanged> {
  const [meeting] = await findMeetings(db, [outcomeId]);
  invariant(meeting, 'meeting action committed but its meeting is missing');
  return { ...performed, meeting };
}
