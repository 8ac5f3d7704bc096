import { randomBytes } from 'node:crypto';
import { readAuditEvidence } from '../../db/audit/audit.ts';
import type { Database, Transaction } from '../../db/connection/client.ts';
import {
  cancelLookupsOfVerifications,
  deleteIdempotencyKeysOfSessions,
  deleteWebhooks,
  erasePersonalDataOfStarts,
  eraseSessionColumns,
  eraseStaffTexts,
  eraseUserColumns,
  findArchivedSessionRowsOfUser,
  findOpenStartVerificationIdsOfUser,
  findWebhooksToSearchForPerson,
  lockSessionsOfUser,
  lockUserByProviderUserId,
  lockUsersByPhoneHashes,
} from '../../db/retention/erasure.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import { getUserSealingContext, type UserRow } from '../../db/sessions/users.ts';
import { getWebhookBodySealingContext } from '../../db/webhooks/inbox.ts';
import { type AuditKeyring, serializeAuditContent } from '../../domain/audit.ts';
import type { ContactDetails } from '../../domain/ports.ts';
import { getStatusInfo } from '../../domain/status.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { verifySessionChain } from '../audit/verify-audit.ts';
import { appendToAuditChains } from '../transitions/audited-writes.ts';

const DAY_MS = 86_400_000;
/**
 * Minimum length of a personal text (user id, phone, email) that webhook bodies are searched for. A shorter
 * text would match the webhooks of other people.
 */
const MIN_SEARCHED_LENGTH = 6;

interface Dependencies {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly keys: AuditKeyring;
  /** Days after a session's end during which the law requires its records. */
  readonly retentionDays: number;
  readonly now: Date;
}

/** Person to erase: by the provider's user id, or by phone. */
export type ErasureTarget = { readonly userId: string } | { readonly phone: string };

/** Numbers of rows and texts that were erased. */
export interface ErasureResult {
  readonly sessions: number;
  /** Number of erased texts that staff wrote: remarks, messages to the customer, cancellation reasons and notes. */
  readonly texts: number;
  readonly webhooks: number;
  readonly idempotencyKeys: number;
  /** Names of archive files that contain sessions of the person. The files are not changed. */
  readonly archives: readonly string[];
}

/**
 * Error that says why a person cannot be erased and what to do. The transaction was rolled back, so nothing was
 * changed.
 */
export class ErasureRefusedError extends Error {}

/**
 * Erases a person for good: user data, links, texts that staff wrote, webhooks, look-ups and idempotency keys.
 * The decisions, with their times and actors, stay provable: the audit chain of each session gets an ERASURE
 * entry that names `by`. With `dryRun`, does everything and rolls back, so that the caller sees the counts.
 *
 * @throws ErasureRefusedError
 */
export async function erasePerson(
  dependencies: Dependencies,
  who: ErasureTarget,
  by: string,
  dryRun: boolean,
): Promise<ErasureResult> {
  const undo = new Error('dry run');
  let erased: ErasureResult | null = null;
  try {
    await dependencies.db.transaction(async (tx) => {
      erased = await erase(tx, dependencies, who, by);
      if (dryRun) throw undo;
    });
  } catch (error) {
    if (error !== undo) throw error;
  }
  return erased as unknown as ErasureResult;
}

async function erase(
  tx: Transaction,
  dependencies: Dependencies,
  who: ErasureTarget,
  by: string,
): Promise<ErasureResult> {
  const { sealer, keys, now } = dependencies;
  const person = await find(tx, sealer, who);
  const rows = await lockSessionsOfUser(tx, person.id);
  const archived = await findArchivedSessionRowsOfUser(tx, person.id);
  refuseWhileNeeded(rows, await findOpenStartVerificationIdsOfUser(tx, person.id), dependencies);
  for (const { verificationId, endedAt } of archived)
    refuseBeforeTheLawAllows(verificationId, endedAt, dependencies);

  const ids = rows.map(({ id }) => id);
  await refuseWithoutProof(tx, ids, dependencies);
  const verificationIds = [...rows, ...archived].map((row) => row.verificationId);
  const personal = describeErased(sealer, person);
  const strays = await findUnattributedMentions(tx, sealer, verificationIds, [
    person.userId,
    personal.phone,
    personal.email,
  ]);
  const nothing: ContactDetails = { phone: null, name: null, email: null, address: null };
  await eraseUserColumns(tx, person.id, {
    userId: `erased:${person.id}`,
    personal: sealer.seal(JSON.stringify(nothing), getUserSealingContext(person.id)),
    phoneHash: null,
    erasedAt: now,
  });
  await eraseSessionColumns(tx, ids, now);
  await erasePersonalDataOfStarts(tx, person.id, sealer.hash(randomBytes(32).toString('hex')));
  await cancelLookupsOfVerifications(tx, verificationIds);
  const erased = {
    sessions: ids.length,
    texts: await eraseStaffTexts(tx, ids),
    webhooks: await deleteWebhooks(tx, verificationIds, strays),
    idempotencyKeys: await deleteIdempotencyKeysOfSessions(tx, ids),
    archives: [...new Set(archived.map(({ file }) => file))].sort(),
  };
  const content = serializeAuditContent('ERASURE', { erasedBy: by });
  const notes = ids.map((sessionId) => ({ sessionId, kind: 'ERASURE' as const, content }));
  if (notes.length > 0) await appendToAuditChains(tx, keys, notes, now);
  return erased;
}

async function find(tx: Transaction, sealer: Sealer, who: ErasureTarget): Promise<UserRow> {
  const byPhone = 'phone' in who;
  const [person, ...others] = byPhone
    ? await lockUsersByPhoneHashes(tx, sealer.candidateHashes(who.phone))
    : await lockUserByProviderUserId(tx, who.userId);
  if (!person) throw new ErasureRefusedError('No person was found. Pass the userId as the API shows it.');
  if (others.length > 0) {
    const userIds = [person, ...others].map(({ userId }) => userId).join(', ');
    throw new ErasureRefusedError(
      `Several people have this phone (${userIds}). Erase each of them with --user.`,
    );
  }
  if (person.erasedAt)
    throw new ErasureRefusedError(
      `This person was already erased at ${person.erasedAt.toISOString()}; there is nothing left to erase.`,
    );
  return person;
}

/** Refuses while a start or a session is open, and while the law requires the records of an ended session. */
function refuseWhileNeeded(rows: readonly SessionRow[], open: readonly string[], dependencies: Dependencies) {
  const [starting] = open;
  if (starting)
    throw new ErasureRefusedError(
      `The provider has not answered the start of ${starting} yet. Run the command again after the provider has answered.`,
    );
  for (const row of rows) {
    const { verificationId, status, subStatus, statusSince } = row;
    if (!getStatusInfo(row).terminal)
      throw new ErasureRefusedError(
        `${verificationId} has not ended (status ${status}/${subStatus}). A person can be erased only after all sessions have ended.`,
      );
    refuseBeforeTheLawAllows(verificationId, statusSince, dependencies);
  }
}

/**
 * Refuses the erasure if a session's audit chain does not verify. Only a valid chain proves that the session
 * has ended, because its row may have been edited; and erasing would destroy the evidence of the edit.
 */
async function refuseWithoutProof(tx: Transaction, ids: readonly string[], { sealer, keys }: Dependencies) {
  for (const [id, evidence] of await readAuditEvidence(tx, ids)) {
    const { finding } = verifySessionChain(evidence, null, keys, sealer);
    if (finding)
      throw new ErasureRefusedError(
        `The audit chain of session ${id} is broken (entry ${finding.number}: ${finding.what}). Run npm run audit -- verify and find the cause first.`,
      );
  }
}

function refuseBeforeTheLawAllows(
  verificationId: string,
  endedAt: Date,
  { retentionDays, now }: Dependencies,
) {
  const until = new Date(endedAt.getTime() + retentionDays * DAY_MS);
  if (until > now)
    throw new ErasureRefusedError(
      `${verificationId} ended at ${endedAt.toISOString()}, and its records must be kept for ${retentionDays} days (LEGAL_RETENTION_DAYS). Run the command again after ${until.toISOString()}.`,
    );
}

const describeErased = (sealer: Sealer, person: UserRow): ContactDetails =>
  JSON.parse(sealer.open(person.personal, getUserSealingContext(person.id)).toString('utf8'));

/** Finds webhooks that belong to no session and whose body mentions the person. */
async function findUnattributedMentions(
  tx: Transaction,
  sealer: Sealer,
  verificationIds: readonly string[],
  marks: readonly (string | null)[],
): Promise<bigint[]> {
  const telling = [...verificationIds, ...marks].filter((mark) => mark && mark.length >= MIN_SEARCHED_LENGTH);
  const found: bigint[] = [];
  for (const { id, body, bodyHash } of await findWebhooksToSearchForPerson(tx, verificationIds)) {
    const text = sealer.open(body, getWebhookBodySealingContext(bodyHash)).toString('utf8');
    if (telling.some((mark) => text.includes(mark as string))) found.push(id);
  }
  return found;
}
