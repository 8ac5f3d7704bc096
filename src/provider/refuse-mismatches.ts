import { IdentityMismatch } from '../domain/errors.ts';
import { findIdentityMismatch, type IdentityField, type VerificationIdentity } from '../domain/identity.ts';
import type { ProviderClient } from '../domain/ports.ts';

/**
 * Response that was refused: the call, the id that differs, and the verification that the call asked for, if
 * any.
 */
export interface AnswerMismatch {
  readonly call: keyof ProviderClient;
  readonly field: IdentityField;
  readonly verificationId: string | null;
}

/**
 * Wraps a provider client so that it refuses a response about another verification or user than the call
 * named. A cache, a proxy or the provider may mix up responses; a mixed-up response could approve another
 * customer. The wrapped calls throw an `IdentityMismatch`, which is not retried, and report it to `onMismatch`.
 */
export function withMismatchChecks(
  provider: ProviderClient,
  onMismatch: (mismatch: AnswerMismatch) => void,
): ProviderClient {
  function compare<Answer extends Partial<VerificationIdentity> | null>(
    call: keyof ProviderClient,
    asked: Partial<VerificationIdentity>,
    answer: Answer,
  ): Answer {
    const field = answer && findIdentityMismatch(asked, answer);
    if (!field) return answer;
    const verificationId = asked.verificationId ?? null;
    onMismatch({ call, field, verificationId });
    throw new IdentityMismatch(field, verificationId);
  }

  return {
    createUser: async (user) =>
      compare('createUser', { userId: user.userId }, await provider.createUser(user)),
    findUser: async (userId) => compare('findUser', { userId }, await provider.findUser(userId)),
    updateUser: async (user) =>
      compare('updateUser', { userId: user.userId }, await provider.updateUser(user)),
    startVerification: async (request) => {
      const { verificationId, userId } = request;
      const answer = await provider.startVerification(request);
      return compare('startVerification', { verificationId, userId }, answer);
    },
    findVerification: async (verificationId) =>
      compare('findVerification', { verificationId }, await provider.findVerification(verificationId)),
    // Not compared, because the response with the token contains no ids.
    createSdkToken: (referenceId, userId) => provider.createSdkToken(referenceId, userId),
  };
}
