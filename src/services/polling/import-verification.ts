import { setTimeout as pause } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../db/connection/client.ts';
import {
  findStartIntent,
  markVerificationIdAsTaken,
  replaceUserOfStart,
  type StartIntentRow,
} from '../../db/sessions/intents.ts';
import { findSessionsByVerificationId } from '../../db/sessions/sessions.ts';
import { findUsersById } from '../../db/sessions/users.ts';
import { IdentityMismatch, ProviderFailure } from '../../domain/errors.ts';
import type { Clock, ProviderSession } from '../../domain/ports.ts';
import type { ProviderClients } from '../../domain/providers.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { deriveUserId } from '../sessions/derived-user-id.ts';
import { fetchAndStoreUser } from '../sessions/ensure-user.ts';
import type { AnswerUpdate, ProviderQuery } from '../transitions/provider-update.ts';
import type { UnitOfWork } from '../transitions/unit-of-work.ts';

/**
 * Maximum number of attempts for one verification id while calls are not sent (call budget used up, or circuit
 * breaker open), and the delay between two attempts if the failure does not say when to retry.
 */
const MAX_TURNS = 20;
const NEXT_TURN_MS = 5_000;

const answerTo = (query: ProviderQuery, payload: ProviderSession): AnswerUpdate => ({
  source: 'POLL',
  actor: null,
  payload,
  eventTime: null,
  query,
});

export interface ImportDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly providers: ProviderClients;
  readonly unitOfWork: UnitOfWork;
  readonly sealer: Sealer;
}

/**
 * Outcomes of recording a verification that exists only at the provider, each with the text that the command
 * prints.
 */
export const IMPORT_OUTCOME_TEXTS = {
  ADOPTED: 'adopted: the session is now recorded in the gateway',
  KNOWN: 'already known: nothing was changed',
  ARCHIVED: 'archived: the session ended long ago and was moved to an archive',
  NOT_AT_PROVIDER: 'not found: the provider does not know this verification id',
  OTHER_USER: 'in doubt: an unfinished start of this id names a different user than the provider',
  WITHOUT_USER: 'in doubt: the provider does not name the user of this verification',
  MISMATCH: 'refused: the provider answered about a different verification or user; nothing was recorded',
  UNANSWERED: 'not answered: the provider could not be reached; run the command again',
} as const;

export type ImportOutcome = keyof typeof IMPORT_OUTCOME_TEXTS;

/**
 * Asks the provider about a verification id and records the answer as a session, unless the session exists
 * already. Idempotent. If a start intent is open for the user whom the provider names, the session belongs to
 * the caller of that intent. Otherwise the session counts as started by another system, until the caller who
 * did start it repeats the start. Waits while the call budget is used up.
 */
export async function importVerification(
  dependencies: ImportDependencies,
  verificationId: string,
): Promise<ImportOutcome> {
  for (let turn = 1; ; turn += 1) {
    try {
      return await adoptIfUnknown(dependencies, verificationId);
    } catch (error) {
      if (error instanceof IdentityMismatch) return 'MISMATCH';
      if (!(error instanceof ProviderFailure)) throw error;
      const { sent, retryAfterSeconds } = error.details;
      if (sent !== false || turn === MAX_TURNS) return 'UNANSWERED';
      await pause(retryAfterSeconds === undefined ? NEXT_TURN_MS : retryAfterSeconds * 1_000);
    }
  }
}

async function adoptIfUnknown(
  dependencies: ImportDependencies,
  verificationId: string,
): Promise<ImportOutcome> {
  const { db, providers, unitOfWork } = dependencies;
  const isHere = async () => (await findSessionsByVerificationId(db, [verificationId])).length > 0;
  if (await isHere()) return 'KNOWN';
  const intent = await findStartIntent(db, verificationId);
  if (intent?.state === 'DONE') return (await isHere()) ? 'KNOWN' : 'ARCHIVED';

  const provider = intent?.provider ?? providers.current;
  const asked = { provider, verificationId, at: dependencies.clock.now(), webhooks: 0 };
  const payload = await providers.get(provider).findVerification(verificationId);
  if (!payload) return 'NOT_AT_PROVIDER';
  if (payload.userId === null) return 'WITHOUT_USER';
  if (intent?.state === 'OPEN' && (await isUserOfStartIntent(dependencies, intent, payload))) {
    const update = answerTo(asked, payload);
    const recorded = await unitOfWork.recordAnswer((writer) => writer.applyUpdate(update));
    if (recorded) return 'ADOPTED';
  }
  if (await importFoundVerification(dependencies, asked, payload)) return 'ADOPTED';
  // A start or a webhook may have created the session since the first lookup (race).
  return (await isHere()) ? 'KNOWN' : 'OTHER_USER';
}

/**
 * Records a verification that another system with the same provider account started; `startSession` then
 * refuses its verification id as taken. Returns false if the provider names no user, or this gateway has a
 * start intent of the id that is OPEN or DONE.
 *
 * @throws ProviderFailure
 */
export async function importFoundVerification(
  dependencies: ImportDependencies,
  query: ProviderQuery,
  payload: ProviderSession,
): Promise<boolean> {
  const { clock, providers, unitOfWork } = dependencies;
  const { verificationId, provider } = query;
  const { userId } = payload;
  if (userId === null) return false;
  const user = await fetchAndStoreUser({ ...dependencies, provider: providers.get(provider) }, userId);
  return unitOfWork.recordAnswer(async (writer) => {
    const sessionId = uuidv7();
    const claim = { verificationId, provider, sessionId, createdAt: clock.now() };
    // A caller may have started a session with this id while the provider was asked (race).
    const claimed = await markVerificationIdAsTaken(writer.tx, claim);
    if (!claimed) return false;
    const origin = {
      sessionId,
      provider,
      userId: user.id,
      userTemplate: null,
      agentTemplate: null,
      languages: null,
      replacesId: null,
      caller: claimed.caller,
      metadata: null,
      tags: null,
    };
    await writer.createSession(answerTo(query, payload), origin);
    return true;
  });
}

/**
 * Returns whether the provider's answer names the user of a start intent. A failover may have lost the row of
 * that user, so the user id that the gateway chose for the start is also derived again and compared.
 *
 * @throws ProviderFailure
 */
export async function isUserOfStartIntent(
  dependencies: ImportDependencies,
  intent: StartIntentRow,
  { userId }: ProviderSession,
): Promise<boolean> {
  if (userId === null) return false;
  const [user] = intent.userId ? await findUsersById(dependencies.db, [intent.userId]) : [];
  if (user?.userId === userId) return true;
  if (deriveUserId(dependencies.sealer, intent) !== userId) return false;
  const provider = dependencies.providers.get(intent.provider);
  const chosen = await fetchAndStoreUser({ ...dependencies, provider }, userId);
  await replaceUserOfStart(dependencies.db, intent.verificationId, chosen.id);
  return true;
}
