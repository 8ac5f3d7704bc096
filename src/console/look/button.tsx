import { Button as AriaButton, type ButtonProps } from 'react-aria-components/Button';
import style from './button.module.css';

interface Props extends ButtonProps {
  /** `primary` is for the main action of a screen, `danger` for an action that cannot be undone. */
  readonly look?: 'primary' | 'plain' | 'danger' | 'quiet';
}

export function Button({ look = 'plain', ...props }: Props) {
  return <AriaButton {...props} className={`${style.button} ${style[look]}`} />;
}
