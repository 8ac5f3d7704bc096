import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import {
  type AnnotationRow,
  findAnnotationsById,
  findAssignmentsOfSessions,
} from '../../db/sessions/annotations.ts';
import { findIdempotencyKey, tryInsertIdempotencyKey } from '../../db/sessions/idempotency.ts';
import {
  lockAssignedSessionInQueue,
  lockClaimsOfPerson,
  lockNextUnassignedSession,
} from '../../db/sessions/queues.ts';
import { findSessionsById, type SessionRow } from '../../db/sessions/sessions.ts';
import {
  getPossibleRecordedNames,
  getRecordedName,
  hasAnyRole,
  QUEUE_ROLES,
  type Viewer,
} from '../../domain/access.ts';
import { findClaimDenial, type Queue, WORK_QUEUES } from '../../domain/actions.ts';
import { invariant } from '../../domain/invariant.ts';
import { MAX_LANGUAGES, toBaseLanguages } from '../../domain/languages.ts';
import type { TransitionWriter } from '../transitions/transition-writer.ts';
import { createLanguageListSchema } from './language-list.ts';
import {
  type ActionDependencies,
  assertSameInput,
  createIdempotencyKeyReuseRefusal,
  readActionFacts,
  renewLeaseOfLockedSession,
} from './perform-action.ts';
import { createIndexedTextSchema, parseOrRefuse, refuseField, toOptionalSchema } from './validation.ts';

const claimInput = z.object({
  queue: z.enum(Object.keys(WORK_QUEUES) as [Queue, ...Queue[]]),
  idempotencyKey: createIndexedTextSchema(200),
  languages: toOptionalSchema(createLanguageListSchema(MAX_LANGUAGES.staff)),
});

/**
 * Maximum number of sessions that one call reads and may not give away. The query leaves out nearly all of them, so
 * that this bounds the transaction if rows were edited or written by an early release.
 */
const MAX_REFUSED = 100;

export interface ClaimResult {
  readonly session: SessionRow;
  /** Assignment of the session to the viewer. */
  readonly assignment: AnnotationRow;
  /** True if the session was assigned to the viewer before this call. */
  readonly replayed: boolean;
}

/**
 * Assigns the next session of a queue to the viewer, with a lease. A session that the viewer already has comes first, then
 * escalated sessions, then the one that has waited longest; sessions of other assignees are skipped. If the viewer names
 * languages, sessions whose customer states only other languages are skipped. Returns null if no session is left.
 *
 * @throws Refusal
 */
export async function claimNext(
  dependencies: ActionDependencies,
  viewer: Viewer,
  raw: unknown,
): Promise<ClaimResult | null> {
  const { clock, unitOfWork, sealer } = dependencies;
  const input = parseOrRefuse(claimInput, raw);
  const { queue } = input;
  if (!hasAnyRole(viewer, QUEUE_ROLES[queue]))
    refuseField(['queue'], `needs one of the roles ${QUEUE_ROLES[queue].join(', ')}`);
  const call = { caller: getRecordedName(viewer), mutation: 'CLAIM_NEXT', key: input.idempotencyKey };
  const canonical = JSON.stringify(input);
  const found = await unitOfWork.inTransaction(async (writer) => {
    const { tx } = writer;
    tx.start(lockClaimsOfPerson(viewer.id));
    const earlier = await findIdempotencyKey(tx, { ...call, callers: getPossibleRecordedNames(viewer) });
    if (earlier) {
      const [session] = await findSessionsById(tx, [earlier.sessionId]);
      invariant(session, 'session of an idempotency key is missing');
      assertSameInput(sealer, earlier, canonical, session);
      return { session, outcomeId: earlier.outcomeId, replayed: true };
    }
    const now = clock.now();
    const claimed =
      (await findOwn(dependencies, writer, viewer, queue)) ??
      (await take(dependencies, writer, viewer, input));
    if (!claimed) return null;
    const session = renewLeaseOfLockedSession(writer, claimed.session, viewer, dependencies);
    const { outcomeId } = claimed;
    const row = {
      ...call,
      inputHash: sealer.hash(canonical),
      sessionId: session.id,
      outcomeId,
      createdAt: now,
    };
    if (!(await tryInsertIdempotencyKey(tx, row))) throw createIdempotencyKeyReuseRefusal(session);
    return { ...claimed, session };
  });
  if (!found) return null;
  const [assignment] = await findAnnotationsById(dependencies.db, [found.outcomeId]);
  invariant(assignment, 'claimNext committed but its assignment is missing');
  return { session: found.session, assignment, replayed: found.replayed };
}

interface Found {
  readonly session: SessionRow;
  readonly outcomeId: string;
  readonly replayed: boolean;
}

/** Finds a session of the queue that is assigned to the viewer already, by an earlier claim or by other staff. */
async function findOwn(
  dependencies: ActionDependencies,
  { tx }: TransitionWriter,
  viewer: Viewer,
  queue: Queue,
): Promise<Found | null> {
  const session = await findAllowed(dependencies, tx, viewer, queue, (now, except) =>
    lockAssignedSessionInQueue(tx, queue, viewer.id, now, except),
  );
  if (!session) return null;
  const assignments = await findAssignmentsOfSessions(tx, [session.id]);
  const newest = assignments.findLast(({ kind }) => kind !== 'UNASSIGNMENT');
  invariant(newest, 'session is assigned but has no assignment');
  return { session, outcomeId: newest.id, replayed: true };
}

/** Assigns the next session of the queue that nobody works on to the viewer. */
async function take(
  dependencies: ActionDependencies,
  writer: TransitionWriter,
  viewer: Viewer,
  { queue, languages }: z.infer<typeof claimInput>,
): Promise<Found | null> {
  const { clock, policy, leaseMs } = dependencies;
  const wanted = {
    queue,
    person: viewer.id,
    languages: languages?.length ? toBaseLanguages(languages) : null,
    auditUnknownAgents: policy.auditUnknownAgents,
  };
  const session = await findAllowed(dependencies, writer.tx, viewer, queue, (now, except) =>
    lockNextUnassignedSession(writer.tx, { ...wanted, now, except }),
  );
  if (!session) return null;
  writer.changes.prefetchHead(session.id);
  const now = clock.now();
  const lease = {
    assignedAgent: viewer.id,
    assignedAt: now,
    assignedUntil: new Date(now.getTime() + leaseMs),
  };
  const by = { source: 'MUTATION', actor: viewer.id } as const;
  const after = await writer.applyOwn({ ...session, ...lease }, session, 'ASSIGNED', by);
  const id = uuidv7();
  writer.changes.addAnnotation({
    id,
    sessionId: session.id,
    sequence: after.lastSequence,
    kind: 'CLAIM',
    // Only the end of a lease frees a session that is still assigned.
    code: session.assignedAgent,
    text: null,
    author: viewer.id,
    recordedAt: now,
  });
  return { session: after, outcomeId: id, replayed: false };
}

/** Locks sessions one after another until the rules allow one to the viewer. */
async function findAllowed(
  { clock, policy }: ActionDependencies,
  tx: TransitionWriter['tx'],
  viewer: Viewer,
  queue: Queue,
  lockNext: (now: Date, except: readonly string[]) => Promise<SessionRow | null>,
): Promise<SessionRow | null> {
  const refused: string[] = [];
  while (refused.length < MAX_REFUSED) {
    const now = clock.now();
    const session = await lockNext(now, refused);
    if (!session) return null;
    const facts = await readActionFacts(tx, session);
    if (findClaimDenial(queue, facts, viewer, now, policy) === null) return session;
    refused.push(session.id);
  }
  return null;
}
