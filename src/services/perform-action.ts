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

/** What every action's input has, beside its own. `sessionId` is the session's own id, not the global one. */
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
  /** The meeting or review that the call made or changed. */
  readonly outcomeId: string;
  readonly replayed: boolean;
}

/** What an action does once it is allowed; returns the session and the id of what it made or changed. */
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
 * The frame of every action on a session, in one transaction under the session's lock: the same key answers as the
 * first call did; then the version, then the rules, then the work. Throws `Refusal`; nothing of it is kept then.
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
    // Sent first: what is read of the session is of after its lock.
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
    // The lock was of one session: another one may have used the key meanwhile.
    if (!(await insertCall(tx, row))) throw keyUsed(session);
    return { ...done, replayed: false };
  });
}

interface Beside {
  readonly meeting: MeetingRow | null;
  readonly reviews: readonly ReviewRow[];
}

/** What counts for a session's actions beside its row. */
async function readBeside(db: Queryable, sessionId: string): Promise<Beside> {
  const [meeting, reviews] = await Promise.all([
    findBookedMeeting(db, sessionId),
    reviewsOfSessions(db, [sessionId]),
  ]);
  return { meeting, reviews };
}

/** What the rules judge a session's actions by. */
const factsOf = (session: SessionRow, { meeting, reviews }: Beside): ActionFacts => ({
  ...session,
  meetingAt: meeting?.startsAt ?? null,
  ...agentsOf(reviews, session.version),
});

/** A session that the viewer may see and act on, for actions that change nothing here. Throws `Refusal`. */
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

/** Throws a `Refusal` where there is a reason. */
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
