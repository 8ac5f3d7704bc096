/** Ids that identify what a provider update is about. */
export interface VerificationIdentity {
  /** Name of the provider that issued or uses these ids. */
  readonly provider: string;
  readonly verificationId: string;
  readonly referenceId: string | null;
  readonly userId: string | null;
}

export const IDENTITY_FIELDS = ['provider', 'verificationId', 'referenceId', 'userId'] as const;
export type IdentityField = (typeof IDENTITY_FIELDS)[number];

/** Name of each id in error messages. */
export const NAME_BY_IDENTITY_FIELD: Readonly<Record<IdentityField, string>> = {
  provider: 'provider',
  verificationId: 'verification id',
  referenceId: 'reference id',
  userId: 'user id',
};

/**
 * Returns the first id in which two identities differ; null if all ids match. The comparison is case-sensitive.
 * An id that is null on one side is not compared: the provider leaves fields out, and a session has no
 * reference id until the first update that contains one.
 */
export const findIdentityMismatch = (
  known: Partial<VerificationIdentity>,
  answered: Partial<VerificationIdentity>,
): IdentityField | null =>
  IDENTITY_FIELDS.find((field) => {
    const [ours, theirs] = [known[field] ?? null, answered[field] ?? null];
    return ours !== null && theirs !== null && ours !== theirs;
  }) ?? null;
