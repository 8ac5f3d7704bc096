import { Mismatch } from '../domain/errors.ts';
import { findMismatch, type Identity, type IdentityField } from '../domain/identity.ts';
import type { Provider } from '../domain/ports.ts';

/** An answer that was refused: the call, the id that differs, and the verification that was asked about, if any. */
export interface MismatchedAnswer {
  readonly call: keyof Provider;
  readonly field: IdentityField;
  readonly verificationId: string | null;
}

/**
 * Wraps a provider's client so that an answer about another verification or user than the call named is refused. A
 * cache, a proxy or the provider itself may mix up answers; used, such an answer would approve another customer.
 * The wrapped calls throw a `Mismatch`; it is not retried, and `onMismatch` hears of it.
 */
export function refuseMismatches(
  provider: Provider,
  onMismatch: (mismatch: MismatchedAnswer) => void,
): Provider {
  function compare<Answer extends Partial<Identity> | null>(
    call: keyof Provider,
    asked: Partial<Identity>,
    answer: Answer,
  ): Answer {
    const field = answer && findMismatch(asked, answer);
    if (!field) return answer;
    const verificationId = asked.verificationId ?? null;
    onMismatch({ call, field, verificationId });
    throw new Mismatch(field, verificationId);
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
    // Its answer names nobody.
    createSdkToken: (referenceId, userId) => provider.createSdkToken(referenceId, userId),
  };
}
