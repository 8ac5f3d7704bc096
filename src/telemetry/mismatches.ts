import type { Logger } from 'pino';
import { type IdentityField, NAME_BY_IDENTITY_FIELD } from '../domain/identity.ts';
import type { Metrics } from './metrics.ts';

/** Provider update that was refused because it names another verification or user than expected. */
export interface UpdateMismatch {
  readonly source: 'ANSWER' | 'WEBHOOK';
  readonly field: IdentityField;
  /**
   * Verification id that the gateway asked about, or that the webhook names; null if the gateway asked about a
   * user.
   */
  readonly verificationId: string | null;
  /**
   * Name of the provider call whose answer was refused. Missing for a webhook, and for an answer that
   * contradicts the stored session instead of the call.
   */
  readonly call?: string;
}

export type OnMismatch = (mismatch: UpdateMismatch) => void;

/**
 * Counts and logs refused provider updates. The differing ids are not logged, because they may belong to
 * another customer.
 */
export const createMismatchObserver =
  ({ mismatches }: Metrics, log: Logger): OnMismatch =>
  (mismatch) => {
    const { source, field } = mismatch;
    mismatches.inc({ source, field });
    log.error(
      mismatch,
      `${source === 'ANSWER' ? 'provider answer' : 'webhook'} names another ${NAME_BY_IDENTITY_FIELD[field]} than expected; ignored it`,
    );
  };
