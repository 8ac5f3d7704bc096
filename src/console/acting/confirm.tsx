import { useId } from 'react';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import style from './dialogs.module.css';

interface Props {
  /** Sentence that names the choice or text that the dialog still lacks; null if the dialog is complete. */
  readonly missing: string | null;
  /** Text of the confirm button: says in full what will happen, once the user has chosen. */
  readonly label: string;
  readonly look: 'primary' | 'danger';
  readonly isPending: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/**
 * Buttons of a dialog that records a decision. Until the dialog is complete, the confirm button does nothing but keeps
 * the keyboard focus, so that screen readers say what is missing. The button is no submit button: Enter in a field
 * must not record a decision.
 */
export function ConfirmButtons({ missing, label, look, isPending, onConfirm, onClose }: Props) {
  const id = useId();
  return (
    <div className={style.confirm}>
      <p id={id} aria-live="polite" className={style.missing}>
        {missing}
      </p>
      <div className={style.buttons}>
        <Button onPress={onClose}>{texts.acting.cancel}</Button>
        <Button
          look={look}
          isPending={isPending}
          aria-disabled={missing !== null}
          aria-describedby={id}
          onPress={() => missing === null && onConfirm()}
        >
          {label}
        </Button>
      </div>
    </div>
  );
}

/** Returns the text of the first condition that holds; null if none does. */
export const findFirstMissing = (...needs: readonly (readonly [isMissing: boolean, text: string])[]) =>
  needs.find(([isMissing]) => isMissing)?.[1] ?? null;
