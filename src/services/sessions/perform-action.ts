import { z } from 'zod';
import type { Database, Queryable, Transaction } from '../../db/connection/client.ts';
import { findClosuresAndDisputeResolutionsOfSessions } from '../../db/sessions/annotations.ts';
import { findSessionsWithCall } from '../../db/sessions/calls.ts';
import { findIdempotencyKey, tryInsertIdempotencyKey } from '../../db/sessions/idempotency.ts';
import { findBookedMeeting } from '../../db/sessions/meetings.ts';
import { findCallersOfReplacements } from '../../db/sessions/replacers.ts';
import { findReviewsOfSessions } from '../../db/sessions/reviews.ts';
import {
  findReplacementSessions,
  findSessionsById,
  lockVisibleSessionById,
  type SessionRow,
} from '../../db/sessions/sessions.ts';
import { findUnreviewedCalls } from '../../db/sessions/unreviewed-calls.ts';
import {
  getPossibleRecordedNames,
  getRecordedName,
  getVisibleVerificationIds,
  maySeeSession,
  type Viewer,
} from '../../domain/access.ts';
import {
  type ActionFacts,
  type ActionPolicy,
  findCurrentAssignee,
  findSessionActionDenial,
  mightHaveUnflaggedReplacement,
  mightHaveUnreportedCall,
  mightHaveUnreviewedCall,
  needsReplacerName,
  type RelatedRows,
  toActionFacts,
} from '../../domain/actions.ts';
import { Refusal } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports.ts';
import type { SessionAction } from '../../domain/session.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import type { TransitionWriter } from '../transitions/transition-writer.ts';
import type { UnitOfWork } from '../transitions/unit-of-work.ts';
import { createIndexedTextSchema, toOptionalSchema } from './validation.ts';

/**
 * Input fields common to all mutations that act on a session. `sessionId` is the session's UUID, not the global id.
 */
export const actionInputSchema = z.object({
  sessionId: z.uuid('must be the id of a VkycSession'),
  idempotencyKey: createIndexedTextSchema(200),
  expectedVersion: toOptionalSchema(
    z.int().min(1, 'must be 1 or more').max(2_147_483_647, 'is higher than any possible version'),
  ),
});

type ActionInput = z.infer<typeof actionInputSchema>;

export interface ActionResult {
  readonly session: SessionRow;
  /** Id of the meeting, review or annotation that the call created or changed. */
  readonly outcomeId: string;
  /** True if the call changed nothing, because it repeated an earlier one or asked for what is already so. */
  readonly replayed: boolean;
}

/**
 * Function that carries out one action, called after all checks have passed. Returns the updated session, and the id
 * of the meeting, review or annotation that it wrote; `replayed` if the session was so already and nothing was written.
 */
type Work = (
  writer: TransitionWriter,
  session: SessionRow,
  facts: ActionFacts,
) => Promise<{ session: SessionRow; outcomeId: string; replayed?: true }>;

export interface ActionDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly unitOfWork: UnitOfWork;
  readonly sealer: Sealer;
  readonly policy: ActionPolicy;
  /** Milliseconds for which a lease lasts, from the person's last action on the session. */
  readonly leaseMs: number;
}

/**
 * Runs an action in one transaction that locks the session row. If the idempotency key was used before, returns the
 * first call's result. Otherwise checks `expectedVersion` and the action rules, then calls `work`.
 *
 * @throws Refusal, after a rollback
 */
export async function performAction(
  { clock, unitOfWork, sealer, policy, leaseMs }: ActionDependencies,
  viewer: Viewer,
  action: SessionAction,
  input: ActionInput,
  work: Work,
): Promise<ActionResult> {
  const call = { caller: getRecordedName(viewer), mutation: action, key: input.idempotencyKey };
  const canonical = JSON.stringify(input);
  return unitOfWork.inTransaction(async (writer) => {
    const { tx } = writer;
    // The statements are pipelined on one connection. The lock is sent first, so the later reads run after the
    // session row is locked and see its newest committed state (READ COMMITTED).
    const locking = lockVisibleSessionById(tx, input.sessionId, getVisibleVerificationIds(viewer));
    writer.changes.prefetchHead(input.sessionId);
    const [session, earlier, related] = await Promise.all([
      locking,
      findIdempotencyKey(tx, { ...call, callers: getPossibleRecordedNames(viewer) }),
      readRelatedRows(tx, input.sessionId),
    ]);
    if (!session) throw notFound();
    if (earlier) {
      assertSameInput(sealer, earlier, canonical, session);
      if (earlier.sessionId !== session.id) throw createIdempotencyKeyReuseRefusal(session);
      return { session, outcomeId: earlier.outcomeId, replayed: true };
    }
    if (input.expectedVersion !== undefined && input.expectedVersion !== session.version)
      throw moved(session);
    const facts = await readFacts(tx, session, related);
    throwIfDenied(action, session, findSessionActionDenial(action, facts, viewer, clock.now(), policy));

    const done = await work(writer, session, facts);
    const renewed = renewLeaseOfLockedSession(writer, done.session, viewer, { clock, leaseMs });
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
    if (!(await tryInsertIdempotencyKey(tx, row))) throw createIdempotencyKeyReuseRefusal(session);
    return { replayed: false, ...done, session: renewed };
  });
}

type LeaseDependencies = Pick<ActionDependencies, 'clock' | 'leaseMs'>;

/**
 * Renews the lease of a session whose row is locked, if it is leased to the viewer: whoever works on a session keeps it.
 * Returns the session with its lease.
 */
export function renewLeaseOfLockedSession(
  writer: TransitionWriter,
  session: SessionRow,
  viewer: Viewer,
  dependencies: LeaseDependencies,
): SessionRow {
  const until = findLaterLease(session, viewer, dependencies);
  if (until === null) return session;
  const renewed = { ...session, assignedUntil: until };
  writer.batch.saveSession(renewed);
  return renewed;
}

/** Returns the time until which the viewer's lease would be renewed now; null if the viewer has none, or it ends later. */
function findLaterLease(
  session: SessionRow,
  viewer: Viewer,
  { clock, leaseMs }: LeaseDependencies,
): Date | null {
  const now = clock.now();
  const until = new Date(now.getTime() + leaseMs);
  const isLater = session.assignedUntil !== null && session.assignedUntil < until;
  return isLater && findCurrentAssignee(session, now) === viewer.id ? until : null;
}

/**
 * Renews the viewer's lease of a session, if the viewer has one, in a transaction of its own. For actions that record
 * nothing. Returns the session, with its new lease.
 */
export async function renewLeaseInOwnTransaction(
  dependencies: LeaseDependencies & Pick<ActionDependencies, 'unitOfWork'>,
  viewer: Viewer,
  session: SessionRow,
): Promise<SessionRow> {
  if (findLaterLease(session, viewer, dependencies) === null) return session;
  return dependencies.unitOfWork.inTransaction(async (writer) => {
    const locked = await lockVisibleSessionById(writer.tx, session.id, getVisibleVerificationIds(viewer));
    // Null if the session was archived since it was read.
    return locked ? renewLeaseOfLockedSession(writer, locked, viewer, dependencies) : session;
  });
}

/** Reads the facts that decide whether an action on a session is allowed; the session's row must be locked. */
export const readActionFacts = async (tx: Transaction, session: SessionRow): Promise<ActionFacts> =>
  readFacts(tx, session, await readRelatedRows(tx, session.id));
/** Related rows that every session needs; the others are read only for the few sessions that need them. */
type ReadForAll = Pick<RelatedRows, 'meeting' | 'reviews' | 'annotations'>;

/** Reads the rows that the action rules need in addition to the session row. */
async function readRelatedRows(db: Queryable, sessionId: string): Promise<ReadForAll> {
  const [meeting, reviews, annotations] = await Promise.all([
    findBookedMeeting(db, sessionId),
    findReviewsOfSessions(db, [sessionId]),
    findClosuresAndDisputeResolutionsOfSessions(db, [sessionId]),
  ]);
  return { meeting, reviews, annotations };
}

/** Combines a session with its related rows. Also reads the log, but only for the few sessions whose rules need it. */
async function readFacts(db: Queryable, session: SessionRow, related: ReadForAll): Promise<ActionFacts> {
  const [call] = mightHaveUnreviewedCall(session) ? await findUnreviewedCalls(db, [session.id]) : [];
  const replacements = mightHaveUnflaggedReplacement(session)
    ? await findReplacementSessions(db, [session.id])
    : [];
  const calls = mightHaveUnreportedCall(session) ? await findSessionsWithCall(db, [session.id]) : [];
  const [replacer] = needsReplacerName(session) ? await findCallersOfReplacements(db, [session.id]) : [];
  return toActionFacts(session, {
    ...related,
    unreviewedCall: call?.subStatus ?? null,
    hadCall: calls.length > 0,
    hasReplacement: replacements.length > 0,
    replacer: replacer?.actor ?? null,
  });
}

/**
 * Returns the session if the viewer may see the session and the action is allowed now. For actions that begin
 * with a call to the provider: no row lock is held during the call.
 *
 * @throws Refusal
 */
export async function loadAllowedSession(
  { db, clock, policy }: Pick<ActionDependencies, 'db' | 'clock' | 'policy'>,
  viewer: Viewer,
  action: SessionAction,
  sessionId: string,
): Promise<SessionRow> {
  const [session] = await findSessionsById(db, [sessionId]);
  if (!session || !maySeeSession(viewer, session.verificationId)) throw notFound();
  throwIfDenied(action, session, await findActionDenial({ db, clock, policy }, viewer, action, session));
  return session;
}

/** Returns why the viewer may not perform the action on the session now; null if it is allowed. */
export async function findActionDenial(
  { db, clock, policy }: Pick<ActionDependencies, 'db' | 'clock' | 'policy'>,
  viewer: Viewer,
  action: SessionAction,
  session: SessionRow,
): Promise<string | null> {
  const facts = await readFacts(db, session, await readRelatedRows(db, session.id));
  return findSessionActionDenial(action, facts, viewer, clock.now(), policy);
}

/**
 * Throws an ACTION_NOT_ALLOWED refusal with the given reason; does nothing if the reason is null.
 *
 * @throws Refusal
 */
export function throwIfDenied(action: SessionAction, session: SessionRow, reason: string | null): void {
  if (reason !== null) throw new Refusal('ACTION_NOT_ALLOWED', reason, { sessionId: session.id, action });
}

const notFound = () => new Refusal('NOT_FOUND', 'The session does not exist, or you may not see it.');

const moved = (session: SessionRow) =>
  new Refusal(
    'VERSION_CONFLICT',
    `The session has moved to ${session.subStatus} (version ${session.version}) since you read it. Read it again and decide again.`,
    { sessionId: session.id },
  );

/**
 * Throws if an earlier call with the same key had another input.
 *
 * @throws Refusal
 */
export function assertSameInput(
  sealer: Sealer,
  earlier: { readonly inputHash: Buffer },
  canonical: string,
  session: SessionRow,
): void {
  if (!sealer.knowsKeyOf(earlier.inputHash)) throw keyUsedUnderRemovedKey(session);
  if (!sealer.verifyHash(earlier.inputHash, canonical)) throw createIdempotencyKeyReuseRefusal(session);
}

const keyUsedUnderRemovedKey = (session: SessionRow) =>
  new Refusal(
    'IDEMPOTENCY_CONFLICT',
    'This idempotencyKey was used before, too long ago to compare the inputs. Read the session again and decide again.',
    { sessionId: session.id },
  );

/** Returns the refusal of an idempotency key that was used with another input. */
export const createIdempotencyKeyReuseRefusal = (session: SessionRow) =>
  new Refusal(
    'IDEMPOTENCY_CONFLICT',
    'This idempotencyKey was used before with a different input. Use a new key for a new action.',
    {
      sessionId: session.id,
    },
  );
