import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../db/connection/client.ts';
import { scheduleLookup } from '../../db/polling/lookups.ts';
import {
  assignUserToStartIfUnset,
  decrementStartSendCount,
  findStartIntent,
  incrementStartSendCount,
  insertOrFindStartIntent,
  markOpenStartAsRefused,
  markStartIntentAsDone,
  markTakenIfSentOnce,
  markUnsentStartAsRefused,
  reclaimTakenStartIntent,
  replaceRefusedStartIntent,
  replaceUserOfStart,
  type StartIntentRow,
} from '../../db/sessions/intents.ts';
import { pickStartColumns } from '../../db/sessions/origin.ts';
import {
  findSessionsById,
  findSessionsByVerificationId,
  lockSessions,
  type SessionRow,
  setStartColumns,
} from '../../db/sessions/sessions.ts';
import { decryptPersonalData, findUsersById, type UserRow } from '../../db/sessions/users.ts';
import { maySeeSession, type Viewer } from '../../domain/access.ts';
import type { ActionPolicy } from '../../domain/actions.ts';
import { ProviderFailure, Refusal } from '../../domain/errors.ts';
import { invariant } from '../../domain/invariant.ts';
import { applyLabelChange, NO_LABELS } from '../../domain/labels.ts';
import { serializeLanguageTags } from '../../domain/languages.ts';
import type { Clock, ProviderSession } from '../../domain/ports.ts';
import type { ProviderClients } from '../../domain/providers.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import type { UnitOfWork } from '../transitions/unit-of-work.ts';
import { deriveUserId, matchStartByUserId } from './derived-user-id.ts';
import { ensureUser, fetchAndStoreUser } from './ensure-user.ts';
import { findActionDenial } from './perform-action.ts';
import { toRefusalIfProviderFailure } from './provider-refusal.ts';
import {
  createStartSessionInputSchema,
  type NewStartRules,
  NO_EMAIL_ADDRESS_MESSAGE,
  NOTIFICATION_TYPES_FIELD_PATH,
  type StartSessionInput,
  wantsEmailNotification,
} from './start-session-input.ts';
import { findInputRefusal, parseOrRefuse, refuseField } from './validation.ts';

const NO_EMAIL_ADDRESS_THERE = `${NO_EMAIL_ADDRESS_MESSAGE}, together with user.phone`;
const REPLACED_ALREADY = 'is the id of a session that another start already replaces';
const OTHER_PERSON =
  "is the id of another person's session: pass that person's user.userId or user.phone, or leave replacesSessionId out";

/**
 * Delay after a start is sent until the reconciler asks the provider whether the start arrived. The look-up is
 * deleted if the session is created first.
 */
const FIRST_LOOKUP_DELAY_MS = 20_000;

export interface StartResult {
  readonly session: SessionRow;
  readonly replayed: boolean;
}

interface Dependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly providers: ProviderClients;
  readonly unitOfWork: UnitOfWork;
  readonly sealer: Sealer;
  readonly rules: NewStartRules;
  readonly policy: ActionPolicy;
}

/**
 * Starts a session. Idempotent: the caller may repeat an identical call at any time, even after a crash of the
 * gateway.
 *
 * @throws Refusal
 */
export type StartSession = (viewer: Viewer, input: unknown) => Promise<StartResult>;

/**
 * Creates the `startSession` function. The provider has no idempotency key except the verification id, so the
 * start intent (the stored request) is written, and the send counted, before the provider is called. If an
 * earlier attempt may have been sent, the provider is first asked whether it has the verification. If a
 * failover or restore lost the start intent, the user id at the provider, which is derived from caller and
 * input, proves that this caller started the verification.
 */
export function createStartSession(dependencies: Dependencies): StartSession {
  const { db, clock, providers, unitOfWork, sealer, rules } = dependencies;
  const anyStartInput = createStartSessionInputSchema(clock, null);
  const newStartInput = createStartSessionInputSchema(clock, rules);
  /** In-flight starts by session id: identical calls in this process share one exchange with the provider. */
  const underWay = new Map<string, Promise<StartResult>>();

  return async (viewer, raw) => {
    // An input that is invalid for every start is validated with the rules of new starts, so that the refusal lists
    // all problems.
    const input = anyStartInput.safeParse(raw).data ?? parseOrRefuse(newStartInput, raw);
    const intent = await claim(viewer, input);
    if (intent.state === 'DONE') return { session: await recordedSession(intent), replayed: true };

    const running = underWay.get(intent.sessionId);
    if (running) return { ...(await running), replayed: true };
    const conversation = converse(viewer.id, input, intent).catch((error) => refuse(intent, error));
    underWay.set(intent.sessionId, conversation);
    return conversation.finally(() => underWay.delete(intent.sessionId));
  };

  async function claim(viewer: Viewer, input: StartSessionInput): Promise<StartIntentRow> {
    const canonical = JSON.stringify(input);
    const asked: StartIntentRow = {
      verificationId: input.verificationId,
      provider: providers.current,
      sessionId: uuidv7(),
      caller: viewer.id,
      inputHash: sealer.hash(canonical),
      userId: null,
      userTemplate: input.userTemplate ?? null,
      agentTemplate: input.agentTemplate ?? null,
      replacesId: input.replacesSessionId ?? null,
      ...toStoredLabels(input),
      languages: serializeLanguageTags(input.languages),
      sends: 0,
      state: 'OPEN',
      createdAt: clock.now(),
    };
    const known = await findStartIntent(db, input.verificationId);
    if (!known || known.state === 'REFUSED') await checkReplaced(viewer, input);
    const stored = await insertOrFindStartIntent(db, asked);
    const intent = stored?.state === 'REFUSED' ? await replaceRefusedStartIntent(db, asked) : stored;
    if (!intent) return refuseField(['replacesSessionId'], REPLACED_ALREADY);
    if (intent.state === 'TAKEN')
      return reclaim(viewer, input, { ...asked, provider: intent.provider }, intent);
    if (intent.caller !== viewer.id) throw verificationIdTaken();
    if (!sealer.verifyHash(intent.inputHash, canonical))
      throw sealer.knowsKeyOf(intent.inputHash) ? keyUsedWithOtherInput() : keyUsedUnderRemovedDataKey();
    return intent;
  }

  /**
   * Gives a TAKEN verification id back to its caller. If a failover lost the start intent and webhooks arrived
   * before the caller's retry, the session was recorded as started by another system. The derived user id must
   * prove that this caller started the session.
   *
   * @throws Refusal if the user id does not prove it
   */
  async function reclaim(
    viewer: Viewer,
    input: StartSessionInput,
    asked: StartIntentRow,
    stored: StartIntentRow,
  ): Promise<StartIntentRow> {
    const { verificationId } = input;
    const [session] = await findSessionsByVerificationId(db, [verificationId]);
    const refusal = verificationIdTaken(
      session && maySeeSession(viewer, verificationId) ? session.id : undefined,
    );
    const userId = session ? await userIdOf(session) : await userIdAtProvider(viewer, stored);
    if (userId === null || !recognizes(input, asked, userId)) throw refusal;
    await checkReplaced(viewer, input);

    const reclaimed = await unitOfWork.inTransaction(async (writer) => {
      const { tx, changes } = writer;
      // Locks the session before the start intent, in the same order as the transition writer (no deadlock).
      if (session) await setStartColumns(tx, session.id, asked);
      const found = session && { sessionId: session.id, userId: session.userId, state: 'DONE' as const };
      const given = await reclaimTakenStartIntent(tx, { ...asked, sends: 1, ...found });
      if (session && given) {
        changes.addDetails(session, { ...session, ...pickStartColumns(asked) }, given.caller);
        await writer.addMissingLabels(session.id, asked);
      }
      return given;
    });
    const intent = reclaimed ?? (await findStartIntent(db, verificationId));
    if (intent?.caller !== viewer.id || intent.state === 'TAKEN') throw refusal;
    return intent;
  }

  async function userIdOf(session: SessionRow): Promise<string | null> {
    const [user] = await findUsersById(db, [session.userId]);
    return user?.userId ?? null;
  }

  /**
   * Returns the user id that the provider has for the verification. Returns null without asking if an earlier start
   * by the same caller already found this verification id taken.
   */
  async function userIdAtProvider(viewer: Viewer, stored: StartIntentRow): Promise<string | null> {
    if (stored.caller === viewer.id) return null;
    const found = await findVerification(stored).catch((error) => {
      throw toRefusalIfProviderFailure(error);
    });
    return found?.userId ?? null;
  }

  /** Returns the dependencies for calls about users, with the client of the provider that the start intent names. */
  function atProviderOf({ provider }: StartIntentRow) {
    return { ...dependencies, provider: providers.get(provider) };
  }

  /**
   * Asks the provider that the start intent names for the verification. Async, so that a provider that is no
   * longer configured causes a rejected promise instead of a synchronous exception.
   */
  async function findVerification({
    provider,
    verificationId,
  }: StartIntentRow): Promise<ProviderSession | null> {
    return providers.get(provider).findVerification(verificationId);
  }

  /**
   * Returns whether the gateway derived this user id for exactly this start. A user id given by the caller proves
   * nothing: another caller, or another system with the same provider account, may verify the same person.
   *
   * @throws Refusal if the id was derived for another input
   */
  function recognizes(input: StartSessionInput, start: StartIntentRow, userId: string): boolean {
    const recognition = matchStartByUserId(sealer, userId, start, JSON.stringify(input));
    if (recognition === 'OTHER_INPUT') throw keyUsedWithOtherInput();
    return recognition === 'SAME_INPUT';
  }

  /**
   * Checks the session that the new one replaces, before anything is sent to the provider: it is visible to the
   * viewer, may be replaced, has no replacement yet, and belongs to the person who is to be verified.
   *
   * @throws Refusal
   */
  async function checkReplaced(
    viewer: Viewer,
    { replacesSessionId, user }: StartSessionInput,
  ): Promise<void> {
    if (replacesSessionId === undefined) return;
    const path = ['replacesSessionId'];
    const [replaced] = await findSessionsById(db, [replacesSessionId]);
    if (!replaced || !maySeeSession(viewer, replaced.verificationId))
      return refuseField(path, 'is not the id of a session that you may see');
    const denial = await findActionDenial(dependencies, viewer, 'REPLACE', replaced);
    if (denial) refuseField(path, `is the id of a session that cannot be replaced: ${denial}`);
    if (!(await isPerson(replaced.userId, user))) refuseField(path, OTHER_PERSON);
  }

  /**
   * Returns whether the input names the person of this row. A given user id decides alone, because the provider may
   * have several users with the same phone; without a user id, the phone decides.
   */
  async function isPerson(id: string, { userId, phone }: StartSessionInput['user']): Promise<boolean> {
    const [person] = await findUsersById(db, [id]);
    if (!person || person.erasedAt) return false;
    if (userId !== undefined) return userId === person.userId;
    return phone !== undefined && phone === decryptPersonalData(sealer, person).phone;
  }

  /**
   * Marks the start intent as REFUSED if the provider definitively refused the start, so that a start with corrected
   * input may replace it. Always throws.
   */
  async function refuse(intent: StartIntentRow, error: unknown): Promise<never> {
    const refusal = toRefusalIfProviderFailure(error);
    if (
      refusal instanceof Refusal &&
      (refusal.code === 'INVALID_INPUT' || refusal.code === 'PROVIDER_REFUSED')
    ) {
      await markUnsentStartAsRefused(db, intent.verificationId);
    }
    throw refusal;
  }

  async function recordedSession(intent: StartIntentRow): Promise<SessionRow> {
    const [session] = await findSessionsById(db, [intent.sessionId]);
    if (session) return session;
    throw new Refusal(
      'VERIFICATION_ID_TAKEN',
      'The session with this verificationId ended long ago and was archived. Choose a new verificationId.',
    );
  }

  async function converse(
    caller: string,
    input: StartSessionInput,
    stored: StartIntentRow,
  ): Promise<StartResult> {
    const intent = await checkNewStart(input, stored);
    const user = await userOf(input, intent);
    // If the start was sent before, its input was checked before that send.
    if (intent.sends === 0) refuseWithoutEmail(input, user);
    const [begun] = await findSessionsByVerificationId(db, [intent.verificationId]);
    const query = {
      provider: intent.provider,
      verificationId: intent.verificationId,
      at: clock.now(),
      webhooks: begun?.providerWebhooks ?? 0,
    };
    const payload = await ask(input, intent, user.userId);
    const [replaced] = intent.replacesId === null ? [] : await findSessionsById(db, [intent.replacesId]);
    return unitOfWork.recordAnswer(async (writer) => {
      const update = { source: 'MUTATION', actor: caller, payload, eventTime: null, query } as const;
      // Both sessions are locked by one statement, in the order in which all transactions lock (no deadlock).
      const locked = replaced
        ? await lockSessions(writer.tx, [replaced.verificationId, intent.verificationId])
        : [];
      const recorded = await writer.applyUpdate(update);
      invariant(recorded, 'update of a session with a start intent was not recorded');
      // A replica of an earlier release may have created the session without ending the one that it replaces.
      const wasThere = locked.some(({ id }) => id === recorded.session.id);
      const ended = locked.find(({ id }) => id === recorded.session.replacesId);
      if (wasThere && ended) await writer.endReplaced(ended, caller);
      await writer.addMissingLabels(recorded.session.id, intent);
      const first = await markStartIntentAsDone(writer.tx, intent.verificationId);
      return { session: recorded.session, replayed: !first };
    });
  }

  /**
   * Applies the rules of new starts, unless the start was sent before. The stored intent may be newer than the
   * start, if a failover or restore lost the first intent; so the provider is asked before an identical retry is
   * refused. Returns the intent, which counts as sent if the provider has the verification.
   *
   * @throws Refusal
   */
  async function checkNewStart(input: StartSessionInput, intent: StartIntentRow): Promise<StartIntentRow> {
    const refusal = intent.sends === 0 ? findInputRefusal(newStartInput, input) : null;
    if (!refusal) return intent;
    // Only a derived user id proves that this gateway started the verification.
    const userId = input.user.userId === undefined ? deriveUserId(sealer, intent) : null;
    if (userId === null || !(await findOwn(input, intent, userId))) throw refusal;
    return { ...intent, sends: 1 };
  }

  /** Refuses EMAIL notifications if neither the caller nor the provider has the user's address. */
  function refuseWithoutEmail({ notificationTypes }: StartSessionInput, user: UserRow): void {
    if (wantsEmailNotification(notificationTypes) && decryptPersonalData(sealer, user).email === null)
      refuseField(NOTIFICATION_TYPES_FIELD_PATH, NO_EMAIL_ADDRESS_THERE);
  }

  async function userOf(input: StartSessionInput, intent: StartIntentRow): Promise<UserRow> {
    if (intent.userId) {
      const [known] = await findUsersById(db, [intent.userId]);
      if (known) return known;
    }
    const givenId = input.user.userId ?? (await findReplacedUserId(intent));
    const isNew = givenId === null;
    const userId = givenId ?? deriveUserId(sealer, intent);
    invariant(userId !== null, 'input matched a hash whose key is not configured');
    const user = await ensureUser(atProviderOf(intent), { ...input.user, userId }, isNew);
    const stored = await assignUserToStartIfUnset(db, intent.verificationId, user.id);
    if (stored === user.id) return user;
    const [other] = await findUsersById(db, [stored]);
    invariant(other, 'user of a start intent is missing');
    return other;
  }

  /**
   * Returns the user id of the person of the replaced session, because a new session may replace only a session of
   * the same person; null if the start replaces no session.
   */
  async function findReplacedUserId({ replacesId }: StartIntentRow): Promise<string | null> {
    const [replaced] = replacesId === null ? [] : await findSessionsById(db, [replacesId]);
    return replaced ? userIdOf(replaced) : null;
  }

  /**
   * Returns the verification that the provider has under this id, if this start created it; otherwise null. The
   * user id at the provider may differ from `userId`, if it was derived with an older key or chosen at random
   * by the last release.
   */
  async function findOwn(
    input: StartSessionInput,
    intent: StartIntentRow,
    userId: string,
  ): Promise<ProviderSession | null> {
    const { verificationId } = input;
    const found = await findVerification(intent);
    if (!found?.userId) return null;
    if (found.userId === userId) return found;
    try {
      const own = found.userId === `u-${intent.sessionId}` || recognizes(input, intent, found.userId);
      if (!own) return null;
    } catch (error) {
      await markOpenStartAsRefused(db, verificationId);
      throw error;
    }
    const user = await fetchAndStoreUser(atProviderOf(intent), found.userId);
    await replaceUserOfStart(db, verificationId, user.id);
    return found;
  }

  /**
   * Plans a look-up and counts the send, before the start is sent. If the answer is lost, for example by a
   * crash, the reconciler asks the provider whether the start arrived.
   */
  async function aboutToSend(verificationId: string): Promise<void> {
    const since = clock.now();
    const dueAt = new Date(since.getTime() + FIRST_LOOKUP_DELAY_MS);
    // Locks the look-up before the start intent, in the same order as `planPollsAfterDataLoss` (no deadlock).
    await db.transaction(async (tx) => {
      await scheduleLookup(tx, { verificationId, since, dueAt });
      await incrementStartSendCount(tx, verificationId);
    });
  }

  async function ask(
    input: StartSessionInput,
    intent: StartIntentRow,
    userId: string,
  ): Promise<ProviderSession> {
    const { verificationId } = input;
    const findOurs = () => findOwn(input, intent, userId);
    if (intent.sends > 0) {
      const found = await findOurs();
      if (found) return found;
    }
    await aboutToSend(verificationId);
    try {
      return await providers.get(intent.provider).startVerification({ ...input, userId });
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error;
      switch (error.kind) {
        case 'NO_BALANCE':
          return rejectedForBalance(verificationId, userId);
        case 'UNAVAILABLE':
        case 'MISMATCH': {
          if (error.details.sent === false) await decrementStartSendCount(db, verificationId);
          else {
            const found = await findOurs().catch(() => null);
            if (found) return found;
          }
          throw error;
        }
        case 'TAKEN': {
          // The provider already has the verification id. An earlier send of this start intent may have
          // arrived, perhaps one whose record a failover lost. But if the user id is not derived from the start and
          // this was the only send, the verification belongs to another system, even if it has the same user id.
          const isDerived = input.user.userId === undefined && intent.replacesId === null;
          if (!isDerived && (await markTakenIfSentOnce(db, verificationId))) throw verificationIdTaken();
          const found = await findOurs();
          if (found) return found;
          await markTakenIfSentOnce(db, verificationId);
          throw verificationIdTaken();
        }
        case 'INVALID':
        case 'NOT_FOUND':
        case 'REFUSED':
          await decrementStartSendCount(db, verificationId);
          throw error;
        default:
          throw error.kind satisfies never;
      }
    }
  }
}

/**
 * Builds the provider update for a start that was refused for insufficient balance. The update is the same as
 * if the provider had accepted the start and then reported the status REJECTED.
 */
const rejectedForBalance = (verificationId: string, userId: string): ProviderSession => ({
  verificationId,
  userId,
  referenceId: null,
  rawStatus: 'REJECTED',
  rawSubStatus: 'INSUFFICIENT_BALANCE',
  link: null,
  linkExpiresAt: null,
  meetingAt: null,
  recordingLink: null,
  recordingLinkExpiresAt: null,
  agentRemarks: null,
  auditorRemarks: null,
});

/** Returns the columns of a start intent with the labels of the start; null for labels that it does not have. */
function toStoredLabels({
  metadata,
  tags = [],
}: StartSessionInput): Pick<StartIntentRow, 'metadata' | 'tags'> {
  const labels = applyLabelChange(NO_LABELS, { metadata, addTags: tags });
  return { metadata: metadata ? labels.metadata : null, tags: tags.length > 0 ? [...labels.tags] : null };
}

const verificationIdTaken = (sessionId?: string) =>
  new Refusal(
    'VERIFICATION_ID_TAKEN',
    'This verificationId belongs to another session. Choose a new one.',
    sessionId === undefined ? {} : { sessionId },
  );

const keyUsedUnderRemovedDataKey = () =>
  new Refusal(
    'IDEMPOTENCY_CONFLICT',
    'This verificationId was used before, too long ago to compare the inputs. Query the session with sessionByVerificationId, or choose a new verificationId.',
  );

const keyUsedWithOtherInput = () =>
  new Refusal(
    'IDEMPOTENCY_CONFLICT',
    'This verificationId was used before with a different input. Repeat the first input, or choose a new verificationId.',
  );
