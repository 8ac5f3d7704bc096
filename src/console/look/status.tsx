import type { Party, VkycStatusFragment } from '../operations.ts';
import { getLabel, getStatusTone, getStepLabel, PARTY_LABELS, PHASE_LABELS, type Tone } from './labels.ts';
import style from './status.module.css';
import tones from './tones.module.css';

/**
 * Symbol of each colour group, because users who cannot tell the colours apart need a second sign (WCAG
 * 1.4.1).
 */
const MARKS: Record<Tone, string> = { good: '✓', bad: '✕', trouble: '!', going: '•' };

/** Name of a sub-status, in the colour of its colour group. */
export function StatusBadge({
  of,
  big = false,
}: {
  of: Pick<VkycStatusFragment, 'status' | 'subStatus'>;
  big?: boolean;
}) {
  const tone = getStatusTone(of);
  return (
    <span
      className={`${style.step} ${tones[tone]} ${big ? style.big : ''}`}
      title={getLabel(PHASE_LABELS, of.status)}
    >
      <span aria-hidden>{MARKS[tone]}</span>
      {getStepLabel(of.subStatus)}
    </span>
  );
}

/** Name of the party that has to act next, in the colour of that party. */
export function WaitingOn({ party }: { party: Party }) {
  return (
    <span className={`${style.party} ${style[party.toLowerCase()]}`}>{getLabel(PARTY_LABELS, party)}</span>
  );
}
