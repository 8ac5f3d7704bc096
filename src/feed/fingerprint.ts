import { hash } from 'node:crypto';
import type { TransitionSummary } from '../db/sessions/transitions.ts';

/** Fields of a transition that its fingerprint covers: every read of a log selects them. */
export type Fingerprinted = Omit<TransitionSummary, 'rawStatus' | 'rawSubStatus'>;

/**
 * Returns a 48-bit digest of a transition, never 0. It tells apart two transitions that were assigned the
 * same session and sequence, or the same feed position: after a failover or a restore that lost the end of
 * the log, these numbers are assigned again.
 *
 * The digest is computed from the row and not copied from the audit chain, so that rows written by earlier
 * releases, which may still run during a rolling deploy, have one without a new column. A row that was lost
 * and recorded again differs at least in `recordedAt`.
 */
export function getFingerprint(transition: Fingerprinted & { [MEMO]?: number }): number {
  transition[MEMO] ??= computeFingerprint(transition);
  return transition[MEMO];
}

/**
 * Key of the fingerprint memoized on an entry: entries stay in memory, and each subscriber that catches up
 * compares their fingerprints.
 */
const MEMO = Symbol('fingerprint');

function computeFingerprint(transition: Fingerprinted): number {
  const { sessionId, sequence, status, subStatus, verdict, source, occurredAt, recordedAt } = transition;
  const content = [
    ...[sessionId, sequence, status, subStatus, verdict, source],
    ...[occurredAt?.getTime() ?? '', recordedAt.getTime()],
  ].join(' ');
  return Number.parseInt(hash('sha256', content).slice(0, 12), 16) || 1;
}
