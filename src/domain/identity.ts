/** Ids that identify what a provider update is about. */
export interface Identity {
  /** Name of the provider that knows the ids. */
  readonly provider: string;
  readonly verificationId: string;
  readonly referenceId: string | null;
  readonly userId: string | null;
}

export const IDENTITY_FIELDS = ['provider', 'verificationId', 'referenceId', 'userId'] as const;
export type IdentityField = (typeof IDENTITY_FIELDS)[number];

/** Name of each id in messages. */
export const NAME_OF_ID: Readonly<Record<IdentityField, string>> = {
  provider: 'provider',
  verificationId: 'verification id',
  referenceId: 'reference id',
  userId: 'user id',
};

/**
 * Returns the first id in which two identities differ; null if there is none. The comparison is case-sensitive. An id
 * that one side does not know is not compared: the provider leaves fields out, and a session learns its reference id
 * only from the first update that has one.
 */
export const findMismatch = (known: Partial<Identity>, payload: Partial<Identity>): IdentityField | null =>
  IDENTITY_FIELDS.find((field) => {
    const [ours, theirs] = [known[field] ?? null, payload[field] ?? null];
    return ours !== null && theirs !== null && ours !== theirs;
  }) ?? null;
