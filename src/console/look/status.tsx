import type { Party, VkycStatusFragment } from '../operations.ts';
import style from './status.module.css';
import tones from './tones.module.css';
import { PARTIES, PHASES, type Tone, toneOf, words } from './words.ts';

/** Marks that say a tone without colour. */
const MARKS: Record<Tone, string> = { good: '✓', bad: '✕', trouble: '!', going: '•' };

/** A step, in the colour of what it means. */
export function Step({
  of,
  big = false,
}: {
  of: Pick<VkycStatusFragment, 'status' | 'subStatus'>;
  big?: boolean;
}) {
  const tone = toneOf(of);
  return (
    <span className={`${style.step} ${tones[tone]} ${big ? style.big : ''}`} title={PHASES[of.status]}>
      <span aria-hidden>{MARKS[tone]}</span>
      {words(of.subStatus)}
    </span>
  );
}

/** Who is waited on. */
export function WaitingOn({ party }: { party: Party }) {
  return <span className={`${style.party} ${style[party.toLowerCase()]}`}>{PARTIES[party]}</span>;
}
