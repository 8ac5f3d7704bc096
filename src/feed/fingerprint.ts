import { hash } from 'node:crypto';
import type { TransitionSummary } from '../db/sessions/transitions.ts';

/** Fields of a transition that its fingerprint (digest) covers. Every read of a log selects these fields. */
export type FingerprintedFields = Omit<TransitionSummary, 'rawStatus' | 'rawSubStatus'>;

/**
 * Returns a 48-bit digest of a transition, never 0. After a failover or a restore that lost the end of the
 * log, sequences and feed positions are assigned again; the digest tells the lost transition from the new one
 * with the same number.
 *
 * The digest is computed from the row and not copied from the audit chain: a new column would be missing in
 * rows that an older release writes during a rolling deploy. A transition that was lost and recorded again
 * differs at least in `recordedAt`.
 */
export function getTransitionFingerprint(transition: FingerprintedFields & { [MEMO]?: number }): number {
  transition[MEMO] ??= computeFingerprint(transition);
  return transition[MEMO];
}

/**
 * Key of the memoized fingerprint on a transition object. Memoized because entries stay in memory and are
 * compared for each subscriber that catches up.
 */
const MEMO = Symbol('fingerprint');

function computeFingerprint(transition: FingerprintedFields): number {
  const { sessionId, sequence, status, subStatus, verdict, source, occurredAt, recordedAt } = transition;
  const content = [
    ...[sessionId, sequence, status, subStatus, verdict, source],
    ...[occurredAt?.getTime() ?? '', recordedAt.getTime()],
  ].join(' ');
  return Number.parseInt(hash('sha256', content).slice(0, 12), 16) || 1;
}
