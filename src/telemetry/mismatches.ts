import type { Logger } from 'pino';
import { type IdentityField, NAME_OF_ID } from '../domain/identity.ts';
import type { Metrics } from './metrics.ts';

/** An update of the provider that was refused, since it names another verification or user than it should. */
export interface MismatchedUpdate {
  readonly source: 'ANSWER' | 'WEBHOOK';
  readonly field: IdentityField;
  /** The verification that was asked about, or that the webhook names; null if a user was asked about. */
  readonly verificationId: string | null;
  /** The call, of an answer that the provider's client refused. */
  readonly call?: string;
}

export type OnMismatch = (mismatch: MismatchedUpdate) => void;

/** Counts and logs updates that were refused. The ids that differ are not logged: they may be another customer's. */
export const watchMismatches =
  ({ mismatches }: Metrics, log: Logger): OnMismatch =>
  (mismatch) => {
    const { source, field } = mismatch;
    mismatches.inc({ source, field });
    log.error(
      mismatch,
      `${source === 'ANSWER' ? 'an answer' : 'a webhook'} of the provider names another ${NAME_OF_ID[field]} than it should; it was not used`,
    );
  };
