import { z } from 'zod';
import type { Database, Queryable } from '../db/client.ts';
import { findCall, insertCall } from '../db/idempotency.ts';
import { findBookedMeeting, type MeetingRow } from '../db/meetings.ts';
import { type ReviewRow, reviewsOfSessions } from '../db/reviews.ts';
import type { Sealer } from '../db/sealing.ts';
import { findSessions, lockSessionById, type SessionRow } from '../db/sessions.ts';
import { limitOf, maySee, namesOf, recordedAs, type Viewer } from '../domain/access.ts';
import { type ActionFacts, type ActionPolicy, agentsOf, whyNot } from '../domain/actions.ts';
import { Refusal } from '../domain/errors.ts';
import type { Clock } from '../domain/ports.ts';
import type { SessionAction } from '../domain/session.ts';
import type { Recording } from './record-transition.ts';
import type { Recorder } from './recorder.ts';
import { keyText, optional } from './validation.ts';

/** Input fields common to all actions. `sessionId` is the session's UUID, not the global id. */
export const actionInput = z.object({
  sessionId: z.uuid('must be the id of a VkycSession'),
  idempotencyKey: keyText(200),
  expectedVersion: optional(
    z.int().min(1, 'must be 1 or more').max(2_147_483_647, 'is more than any version'),
  ),
});

type ActionInput = z.infer<typeof actionInput>;

export interface Performed {
  readonly session: SessionRow;
  /** Id of the meeting or review that the call created or changed. */
  readonly outcomeId: string;
  readonly replayed: boolean;
}

/**
 * Work of one action, called after all checks passed. Returns the updated session and the id of the meeting
 * or review.
 */
type Work = (
  recording: Recording,
  session: SessionRow,
) => Promise<{ session: SessionRow; outcomeId: string }>;

export interface ActionParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly sealer: Sealer;
  readonly policy: ActionPolicy;
}

/**
 * Runs an action in one transaction that locks the session row. A repeated idempotency key returns the first
 * call's result. Then checks `expectedVersion` and the action rules, and does the work.
 *
 * @throws Refusal, after a rollback
 */
export async function performAction(
  { clock, recorder, sealer, policy }: ActionParts,
  viewer: Viewer,
  action: SessionAction,
  input: ActionInput,
  work: Work,
): Promise<Performed> {
  const call = { caller: recordedAs(viewer), mutation: action, key: input.idempotencyKey };
  const canonical = JSON.stringify(input);
  return recorder.inTransaction(async (recording) => {
    const { tx } = recording;
    // The lock is sent first on the pipelined connection, so the reads after it see the session as of the
    // lock.
    const locking = lockSessionById(tx, input.sessionId, limitOf(viewer));
    recording.changes.expect(input.sessionId);
    const [session, earlier, beside] = await Promise.all([
      locking,
      findCall(tx, { ...call, callers: namesOf(viewer) }),
      readBeside(tx, input.sessionId),
    ]);
    if (!session) throw notFound();
    if (earlier) {
      if (!sealer.knowsKeyOf(earlier.inputHash)) throw keyUsedUnderRemovedKey(session);
      if (earlier.sessionId !== session.id || !sealer.matches(earlier.inputHash, canonical))
        throw keyUsed(session);
      return { session, outcomeId: earlier.outcomeId, replayed: true };
    }
    if (input.expectedVersion !== undefined && input.expectedVersion !== session.version)
      throw moved(session);
    refuse(action, session, whyNot(action, factsOf(session, beside), viewer, clock.now(), policy));

    const done = await work(recording, session);
    const inputHash = sealer.hash(canonical);
    const row = {
      ...call,
      inputHash,
      sessionId: session.id,
      outcomeId: done.outcomeId,
      createdAt: clock.now(),
    };
    // The row lock covers one session only: a concurrent call on another session may have used the same key
    // (race).
    if (!(await insertCall(tx, row))) throw keyUsed(session);
    return { ...done, replayed: false };
  });
}

interface Beside {
  readonly meeting: MeetingRow | null;
  readonly reviews: readonly ReviewRow[];
}

/** Reads the booked meeting and the reviews, which the action rules need in addition to the session row. */
async function readBeside(db: Queryable, sessionId: string): Promise<Beside> {
  const [meeting, reviews] = await Promise.all([
    findBookedMeeting(db, sessionId),
    reviewsOfSessions(db, [sessionId]),
  ]);
  return { meeting, reviews };
}

/** Builds the facts from which the action rules decide. */
const factsOf = (session: SessionRow, { meeting, reviews }: Beside): ActionFacts => ({
  ...session,
  meetingAt: meeting?.startsAt ?? null,
  ...agentsOf(reviews, session.version),
});

/**
 * Returns the session if the viewer may see it and the action is allowed. For actions that change nothing in
 * the database.
 *
 * @throws Refusal
 */
export async function allowedSession(
  { db, clock, policy }: Pick<ActionParts, 'db' | 'clock' | 'policy'>,
  viewer: Viewer,
  action: SessionAction,
  sessionId: string,
): Promise<SessionRow> {
  const [session] = await findSessions(db, [sessionId]);
  if (!session || !maySee(viewer, session.verificationId)) throw notFound();
  const facts = factsOf(session, await readBeside(db, session.id));
  refuse(action, session, whyNot(action, facts, viewer, clock.now(), policy));
  return session;
}

/**
 * Refuses the action with ACTION_NOT_ALLOWED if there is a reason.
 *
 * @throws Refusal
 */
export function refuse(action: SessionAction, session: SessionRow, reason: string | null): void {
  if (reason !== null) throw new Refusal('ACTION_NOT_ALLOWED', reason, { sessionId: session.id, action });
}

const notFound = () => new Refusal('NOT_FOUND', 'There is no such session, or it is not yours to see.');

const moved = (session: SessionRow) =>
  new Refusal(
    'VERSION_CONFLICT',
    `The session has moved to ${session.subStatus} (version ${session.version}) since you read it. Look at it and decide again.`,
    { sessionId: session.id },
  );

const keyUsedUnderRemovedKey = (session: SessionRow) =>
  new Refusal(
    'IDEMPOTENCY_CONFLICT',
    'You used this idempotencyKey before, too long ago to compare the inputs. Look at the session and decide again.',
    { sessionId: session.id },
  );

const keyUsed = (session: SessionRow) =>
  new Refusal(
    'IDEMPOTENCY_CONFLICT',
    'You used this idempotencyKey before with another input. Use a new key for a new call.',
    {
      sessionId: session.id,
    },
  );
