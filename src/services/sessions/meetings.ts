import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import {
  findBookedMeeting,
  findMeetingsById,
  getCancelReasonSealingContext,
  type MeetingRow,
} from '../../db/sessions/meetings.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import { getRecordedName, type Viewer } from '../../domain/access.ts';
import { type ActionFacts, awaitsAgentReview } from '../../domain/actions.ts';
import type { MeetingCalendar } from '../../domain/calendar.ts';
import { invariant } from '../../domain/invariant.ts';
import { MAX_TEXT_CHARACTERS } from '../../domain/text.ts';
import { encryptWithCommitment } from '../transitions/audited-writes.ts';
import { createMeetingTimeRefusal, lockSlotWithFreePlace, MeetingTimeUnavailable } from './meeting-places.ts';
import {
  type ActionDependencies,
  type ActionResult,
  actionInputSchema,
  performAction,
  throwIfDenied,
} from './perform-action.ts';
import { createTextSchema, parseOrRefuse, refuseField, toOptionalSchema } from './validation.ts';

const FURTHEST_DAYS = 366;

const reason = toOptionalSchema(createTextSchema(MAX_TEXT_CHARACTERS.reason));
const cancelInput = actionInputSchema.extend({ reason });

export interface MeetingActionResult {
  readonly session: SessionRow;
  readonly meeting: MeetingRow;
  readonly replayed: boolean;
}

export interface MeetingDependencies extends ActionDependencies {
  /** Null: meetings can be booked at any time. */
  readonly calendar: MeetingCalendar | null;
}

/**
 * Books a meeting, or moves the booked meeting. The meeting exists only in the gateway, because the provider
 * has no call for booking meetings. A meeting that takes a session out of review needs a reason. With a calendar, the
 * meeting must begin with a slot that has a free place. Moving a meeting to the time that it has changes nothing.
 *
 * @throws Refusal
 */
export async function scheduleMeeting(
  dependencies: MeetingDependencies,
  viewer: Viewer,
  raw: unknown,
): Promise<MeetingActionResult> {
  const { calendar } = dependencies;
  const now = dependencies.clock.now();
  const furthest = new Date(now.getTime() + FURTHEST_DAYS * 86_400_000);
  const input = parseOrRefuse(
    actionInputSchema.extend({ startsAt: z.date().max(furthest, 'must be within a year'), reason }),
    raw,
  );
  const performed = await performAction(
    dependencies,
    viewer,
    'SCHEDULE_MEETING',
    input,
    async (writer, session, facts) => {
      const { linkExpiresAt } = session;
      if (isBookedAt(input.startsAt, session, facts)) {
        const same = await findBookedMeeting(writer.tx, session.id);
        invariant(same, 'a meeting was booked at this time but is missing');
        return { session, outcomeId: same.id, replayed: true };
      }
      if (input.startsAt <= now)
        throwIfDenied(
          'SCHEDULE_MEETING',
          session,
          'The start time is in the past: choose a time in the future.',
        );
      if (linkExpiresAt && input.startsAt >= linkExpiresAt) {
        throwIfDenied(
          'SCHEDULE_MEETING',
          session,
          `The start time is after the customer's link expires (${linkExpiresAt.toISOString()}): choose an earlier time.`,
        );
      }
      if (awaitsAgentReview(session) && !input.reason)
        refuseField(['reason'], 'must say why another meeting is needed before the ended call is reviewed');
      if (calendar) await lockSlotWithFreePlace(writer.tx, calendar, session, input.startsAt);
      await writer.changes.endMeeting(session.id, 'RESCHEDULED');
      const id = uuidv7();
      writer.changes.addMeeting({
        id,
        sessionId: session.id,
        startsAt: input.startsAt,
        status: 'SCHEDULED',
        source: 'MUTATION',
        scheduledBy: getRecordedName(viewer),
        createdAt: now,
      });
      const booked = { ...session, meetingAt: input.startsAt };
      const after = await writer.applyDecision(booked, 'USER_MEETING_SCHEDULED', getRecordedName(viewer));
      if (input.reason)
        writer.changes.addAnnotation({
          id: uuidv7(),
          sessionId: session.id,
          sequence: after.lastSequence,
          kind: 'MEETING_REASON',
          code: id,
          text: input.reason,
          author: getRecordedName(viewer),
          recordedAt: now,
        });
      return { session: after, outcomeId: id };
    },
  ).catch(async (error) => {
    if (!calendar || !(error instanceof MeetingTimeUnavailable)) throw error;
    // The free slots are looked up after the rollback, so that no lock is held for so long.
    throw await createMeetingTimeRefusal(dependencies.db, calendar, error, { now, furthest });
  });
  return withMeeting(dependencies, performed);
}

/** Whether the session waits for a meeting at this time that was booked here. */
const isBookedAt = (time: Date, session: SessionRow, facts: ActionFacts): boolean =>
  session.subStatus === 'USER_MEETING_SCHEDULED' &&
  facts.meetingBookedHere &&
  facts.meetingAt?.getTime() === time.getTime();

/**
 * Cancels the booked meeting.
 *
 * @throws Refusal
 */
export async function cancelMeeting(
  dependencies: ActionDependencies,
  viewer: Viewer,
  raw: unknown,
): Promise<MeetingActionResult> {
  const input = parseOrRefuse(cancelInput, raw);
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
        getCancelReasonSealingContext(booked.id),
      );
      await writer.changes.endMeeting(session.id, 'CANCELLED', getRecordedName(viewer), reason);
      return {
        session: await writer.applyDecision(
          { ...session, meetingAt: null },
          'USER_MEETING_CANCELLED',
          getRecordedName(viewer),
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
): Promise<MeetingActionResult> {
  const [meeting] = await findMeetingsById(db, [outcomeId]);
  invariant(meeting, 'meeting action committed but its meeting is missing');
  return { ...performed, meeting };
}
