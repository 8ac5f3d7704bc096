import { useMemo, useRef, useState } from 'react';
import type { GatewayError } from '../gateway/gateway.ts';
import { TranslatedGatewayMessage, TranslatedGatewayText } from '../language/gateway-text.tsx';
import { TextWithElements } from '../language/sentence.tsx';
import { texts } from '../language/texts.ts';
import type { Row } from '../live/rows.ts';
import { Button } from '../look/button.tsx';
import { getLabel, INPUT_FIELD_LABELS } from '../look/labels.ts';
import { FailureNotice, Notice } from '../look/notice.tsx';
import { StatusBadge } from '../look/status.tsx';
import { UserText } from '../look/user-text.tsx';
import type { VkycRefusalFragment } from '../operations.ts';
import style from './dialogs.module.css';

/** Result of a mutation: its success type, or a refusal, whose `message` tells the user what to do. */
type Result = { readonly __typename: string } & (object | VkycRefusalFragment);
type Success<Of extends Result> = Exclude<Of, VkycRefusalFragment>;

export interface MutationState<Of extends Result> {
  readonly pending: boolean;
  readonly refusal: VkycRefusalFragment | null;
  readonly failure: GatewayError | null;
  /** Messages about invalid input, by the name of the form field, in the form that `Form` takes. */
  readonly problems: Record<string, string>;
  /**
   * Sends the mutation, and calls `done` if it succeeds. Otherwise sets `refusal` (the gateway refused the
   * action) or `failure` (the request failed or was not answered).
   */
  run(
    call: (idempotencyKey: string) => Promise<Of>,
    input: unknown,
    done: (success: Success<Of>) => void,
  ): Promise<void>;
}

/**
 * State of one mutation in a dialog. The idempotency key stays the same until the input changes, so that
 * pressing the button again after a lost answer does not perform the action twice.
 */
export function useMutation<Of extends Result>(): MutationState<Of> {
  const [state, setState] = useState<Pick<MutationState<Of>, 'pending' | 'refusal' | 'failure'>>(IDLE);
  const attempt = useRef({ key: '', input: '' });
  // Memoized, because a new object would make `Form` show problems again that the user has already dismissed.
  const problems = useMemo(() => toFieldProblems(state.refusal), [state.refusal]);
  return {
    ...state,
    problems,
    async run(call, input, done) {
      const text = JSON.stringify(input);
      if (attempt.current.input !== text) attempt.current = { key: crypto.randomUUID(), input: text };
      setState({ ...IDLE, pending: true });
      try {
        const result = await call(attempt.current.key);
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
      texts.acting.problem(labelField(path), message),
    ]),
  );
}

/** Whether the field can say what is wrong with it in the language of the user. If not, the notice says it in English. */
const canSay = (message: string): boolean =>
  texts.language === 'en' || texts.gateway.translate(message) !== null;

const labelField = (path: readonly string[]): string => getLabel(INPUT_FIELD_LABELS, path.at(-1) ?? '');

interface MutationNoticeProps {
  readonly mutation: Pick<MutationState<Result>, 'refusal' | 'failure'>;
  /**
   * The session at the time when the dialog was opened. After a version conflict, the notice shows its status
   * next to the current status.
   */
  readonly before?: Row;
  /** Makes the dialog act on the current session after a version conflict. */
  readonly onContinue?: () => void;
  /**
   * Names of the form's fields. The form shows the problems of these fields itself, so the notice leaves them
   * out.
   */
  readonly fields?: readonly string[];
}

/**
 * Message that says why a mutation was not performed, and what to do. Renders nothing if the form's fields
 * already show all problems.
 */
export function MutationFailureNotice({
  mutation: { refusal, failure },
  before,
  onContinue,
  fields = [],
}: MutationNoticeProps) {
  if (failure) return <FailureNotice failure={failure} />;
  if (!refusal) return null;
  const problems = 'problems' in refusal ? refusal.problems : [];
  const elsewhere = problems.filter(
    ({ path, message }) => !fields.includes(path.at(-1) ?? '') || !canSay(message),
  );
  if (problems.length > 0 && elsewhere.length === 0) return null;
  const current = 'currentSession' in refusal ? refusal.currentSession : null;
  const moved = current !== null && before !== undefined && current.version > before.version;
  if (refusal.code === 'VERSION_CONFLICT' && before && !moved) return null;
  return (
    <Notice tone={refusal.retryable || current ? 'trouble' : 'bad'}>
      <div className={style.notice}>
        {problems.length === 0 && (
          <p>
            <UserText>
              <TranslatedGatewayMessage of={refusal} />
            </UserText>
          </p>
        )}
        {moved && (
          <p className={style.change}>
            <TextWithElements
              parts={texts.acting.wasAndIs(
                <StatusBadge of={before.statusInfo} />,
                <StatusBadge of={current.statusInfo} />,
              )}
            />
            {onContinue && <Button onPress={onContinue}>{texts.acting.goOn}</Button>}
          </p>
        )}
        {elsewhere.length > 0 && (
          <ul>
            {elsewhere.map(({ path, message }) => (
              <li key={path.join('.')}>
                {labelField(path)}{' '}
                <UserText>
                  <TranslatedGatewayText>{message}</TranslatedGatewayText>
                </UserText>
              </li>
            ))}
          </ul>
        )}
        {'retryAfterSeconds' in refusal && refusal.retryAfterSeconds !== null && (
          <p>{texts.acting.tryAgainIn(refusal.retryAfterSeconds)}</p>
        )}
      </div>
    </Notice>
  );
}
