import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { findBookedMeeting, findMeetings, type MeetingRow, placeOfCancelReason } from '../db/meetings.ts';
import type { SessionRow } from '../db/sessions.ts';
import { recordedAs, type Viewer } from '../domain/access.ts';
import { committed } from './audited-changes.ts';
import { type ActionParts, actionInput, type Performed, performAction, refuse } from './perform-action.ts';
import { checked, optional, text } from './validation.ts';

const FURTHEST_DAYS = 366;

const cancelInput = actionInput.extend({ reason: optional(text(500)) });

export interface MeetingChanged {
  readonly session: SessionRow;
  readonly meeting: MeetingRow;
  readonly replayed: boolean;
}

/**
 * Books a meeting, or moves the booked one. The meeting exists only in the gateway, because the provider has
 * no call for it.
 *
 * @throws Refusal
 */
export async function scheduleMeeting(
  parts: ActionParts,
  viewer: Viewer,
  raw: unknown,
): Promise<MeetingChanged> {
  const now = parts.clock.now();
  const furthest = new Date(now.getTime() + FURTHEST_DAYS * 86_400_000);
  const input = checked(
    actionInput.extend({ startsAt: z.date().max(furthest, 'must be within a year') }),
    raw,
  );
  const performed = await performAction(
    parts,
    viewer,
    'SCHEDULE_MEETING',
    input,
    async (recording, session) => {
      const { linkExpiresAt } = session;
      if (input.startsAt <= now) refuse('SCHEDULE_MEETING', session, 'The meeting would begin in the past.');
      if (linkExpiresAt && input.startsAt >= linkExpiresAt) {
        refuse(
          'SCHEDULE_MEETING',
          session,
          `The meeting would begin after the customer's link has expired (${linkExpiresAt.toISOString()}).`,
        );
      }
      await recording.changes.endMeeting(session.id, 'RESCHEDULED');
      const id = uuidv7();
      recording.changes.addMeeting({
        id,
        sessionId: session.id,
        startsAt: input.startsAt,
        status: 'SCHEDULED',
        source: 'MUTATION',
        scheduledBy: recordedAs(viewer),
        createdAt: now,
      });
      const booked = { ...session, meetingAt: input.startsAt };
      return {
        session: await recording.act(booked, 'USER_MEETING_SCHEDULED', recordedAs(viewer)),
        outcomeId: id,
      };
    },
  );
  return withMeeting(parts, performed);
}

/**
 * Cancels the booked meeting.
 *
 * @throws Refusal
 */
export async function cancelMeeting(
  parts: ActionParts,
  viewer: Viewer,
  raw: unknown,
): Promise<MeetingChanged> {
  const input = checked(cancelInput, raw);
  const performed = await performAction(
    parts,
    viewer,
    'CANCEL_MEETING',
    input,
    async (recording, session) => {
      const booked = await findBookedMeeting(recording.tx, session.id);
      if (!booked) throw new Error('A meeting that may be cancelled is booked');
      const reason = committed(parts.sealer, input.reason || null, placeOfCancelReason(booked.id));
      await recording.changes.endMeeting(session.id, 'CANCELLED', recordedAs(viewer), reason);
      return {
        session: await recording.act(
          { ...session, meetingAt: null },
          'USER_MEETING_CANCELLED',
          recordedAs(viewer),
        ),
        outcomeId: booked.id,
      };
    },
  );
  return withMeeting(parts, performed);
}

async function withMeeting(
  { db }: ActionParts,
  { outcomeId, ...performed }: Performed,
): Promise<MeetingChanged> {
  const [meeting] = await findMeetings(db, [outcomeId]);
  if (!meeting) throw new Error('The meeting of a performed action is stored');
  return { ...performed, meeting };
}
