import { useMemo, useRef, useState } from 'react';
import type { GatewayError } from '../gateway/gateway.ts';
import type { Row } from '../live/rows.ts';
import { Button } from '../look/button.tsx';
import { humanize } from '../look/labels.ts';
import { Notice } from '../look/notice.tsx';
import { StatusBadge } from '../look/status.tsx';
import type { VkycRefusalFragment } from '../operations.ts';
import style from './act.module.css';

/** What an act came to: its success, or a refusal with the words that say what to do. */
type Result = { readonly __typename: string } & (object | VkycRefusalFragment);
type Success<Of extends Result> = Exclude<Of, VkycRefusalFragment>;

export interface Mutation<Of extends Result> {
  readonly pending: boolean;
  readonly refusal: VkycRefusalFragment | null;
  readonly failure: GatewayError | null;
  /** What is wrong with which field, as a form takes it. */
  readonly problems: Record<string, string>;
  /** Does it; what it is done with once it has succeeded is the caller's. */
  run(
    call: (idempotencyKey: string) => Promise<Of>,
    input: unknown,
    done: (success: Success<Of>) => void,
  ): Promise<void>;
}

/** One thing that a person wants: however often they press, with the same input it is done once. */
export function useMutation<Of extends Result>(): Mutation<Of> {
  const [state, setState] = useState<Pick<Mutation<Of>, 'pending' | 'refusal' | 'failure'>>(IDLE);
  const wanted = useRef({ key: '', input: '' });
  // The same object until there is another answer: a form takes a new one for new complaints.
  const problems = useMemo(() => toFieldProblems(state.refusal), [state.refusal]);
  return {
    ...state,
    problems,
    async run(call, input, done) {
      const text = JSON.stringify(input);
      if (wanted.current.input !== text) wanted.current = { key: crypto.randomUUID(), input: text };
      setState({ ...IDLE, pending: true });
      try {
        const result = await call(wanted.current.key);
        if ('retryable' in result) setState({ ...IDLE, refusal: result });
        else {
          setState(IDLE);
          done(result as Success<Of>);
        }
      } catch (failure) {
        setState({ ...IDLE, failure: failure as GatewayError });
      }
    },
  };
}

const IDLE = { pending: false, refusal: null, failure: null } as const;

function toFieldProblems(refusal: VkycRefusalFragment | null): Record<string, string> {
  if (!refusal || !('problems' in refusal)) return {};
  return Object.fromEntries(
    refusal.problems.map(({ path, message }) => [
      path.at(-1) ?? '',
      `${humanize(path.at(-1) ?? '')} ${message}`,
    ]),
  );
}

interface MutationNoticeProps {
  readonly act: Pick<Mutation<Result>, 'refusal' | 'failure'>;
  /** The session as it was when the dialog was opened, to tell what has changed since. */
  readonly before?: Row;
  /** Goes on with the session as it is now, where somebody moved it in the meantime. */
  readonly onContinue?: () => void;
  /** Names of the fields that show their own problems. */
  readonly fields?: readonly string[];
}

/** Why it was not done, and what to do. */
export function MutationNotice({
  act: { refusal, failure },
  before,
  onContinue,
  fields = [],
}: MutationNoticeProps) {
  if (failure) return <Notice tone="bad">{failure.message}</Notice>;
  if (!refusal) return null;
  const problems = 'problems' in refusal ? refusal.problems : [];
  const elsewhere = problems.filter(({ path }) => !fields.includes(path.at(-1) ?? ''));
  if (problems.length > 0 && elsewhere.length === 0) return null;
  const current = 'currentSession' in refusal ? refusal.currentSession : null;
  const moved = current !== null && before !== undefined && current.version > before.version;
  if (refusal.code === 'VERSION_CONFLICT' && before && !moved) return null;
  return (
    <Notice tone={refusal.retryable || current ? 'trouble' : 'bad'}>
      <div className={style.said}>
        {problems.length === 0 && <p>{refusal.message}</p>}
        {moved && (
          <p className={style.change}>
            It was <StatusBadge of={before.statusInfo} /> and is now <StatusBadge of={current.statusInfo} />
            {onContinue && <Button onPress={onContinue}>Go on with how it is now</Button>}
          </p>
        )}
        {elsewhere.length > 0 && (
          <ul>
            {elsewhere.map(({ path, message }) => (
              <li key={path.join('.')}>
                {humanize(path.at(-1) ?? '')} {message}
              </li>
            ))}
          </ul>
        )}
        {'retryAfterSeconds' in refusal && refusal.retryAfterSeconds !== null && (
          <p>Try again in {refusal.retryAfterSeconds} s.</p>
        )}
      </div>
    </Notice>
  );
}
