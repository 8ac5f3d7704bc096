import type { StartIntentRow } from '../../db/sessions/intents.ts';
import type { Sealer } from '../../encryption/sealing.ts';

/** Hex digits in each of the two hashes that make up a chosen user id: 20 digits are 80 bits. */
const PART_LENGTH = 20;
const PREFIX = 'u-';

/** Fields from which the user id of a start is derived. */
export type UserIdDerivationInput = Pick<StartIntentRow, 'caller' | 'verificationId' | 'inputHash'>;

/**
 * Derives the user id for a start whose caller gave none. The id is deterministic: if a failover loses the
 * start intent, the caller's identical retry yields the same id, by which the gateway recognizes its own
 * verification at the provider. The first of two hashes covers caller and verification id, the second also the
 * input. Returns null if the data key that hashed the input is no longer configured.
 */
export function deriveUserId(
  sealer: Sealer,
  { caller, verificationId, inputHash }: UserIdDerivationInput,
): string | null {
  const start = sealer.pseudonym(JSON.stringify(['start', caller, verificationId]), inputHash);
  const input = sealer.pseudonym(
    JSON.stringify(['input', caller, verificationId, inputHash.toString('hex')]),
    inputHash,
  );
  if (start === null || input === null) return null;
  return PREFIX + start.slice(0, PART_LENGTH) + input.slice(0, PART_LENGTH);
}

/**
 * Result of comparing a verification's user id with the ids that the gateway derives for a start.
 * - SAME_INPUT: this caller started the verification, with this input.
 * - OTHER_INPUT: this caller started the verification under this verification id, but with another input.
 * - NOT_CHOSEN: the gateway did not choose this user id for this caller and verification id.
 */
export type StartMatch = 'SAME_INPUT' | 'OTHER_INPUT' | 'NOT_CHOSEN';

/**
 * Compares the user id of a verification at the provider with the ids that the gateway would derive for a start, one
 * for each configured data key.
 */
export function matchStartByUserId(
  sealer: Sealer,
  userId: string,
  start: Pick<UserIdDerivationInput, 'caller' | 'verificationId'>,
  canonicalInput: string,
): StartMatch {
  const chosen = sealer
    .candidateHashes(canonicalInput)
    .map((inputHash) => deriveUserId(sealer, { ...start, inputHash }) ?? '');
  if (chosen.includes(userId)) return 'SAME_INPUT';
  const prefixLength = PREFIX.length + PART_LENGTH;
  const sameStart = chosen.some(
    (each) => each.length === userId.length && each.slice(0, prefixLength) === userId.slice(0, prefixLength),
  );
  return sameStart ? 'OTHER_INPUT' : 'NOT_CHOSEN';
}
