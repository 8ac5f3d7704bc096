import { useState } from 'react';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { areKeysOn, setKeysOn, useKeys } from './keys.ts';
import style from './keys-dialog.module.css';

const KEYS: readonly (readonly [key: string, meaning: string])[] = [
  ['/', 'Search for a verification ID, in the list of sessions'],
  ['j', 'Next session of the list'],
  ['k', 'Previous session of the list'],
  ['Enter', 'Open the session'],
  ['n', 'On the page of a session: open the next session of the list'],
  ['?', 'Show these keys'],
];

interface Props {
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
}

/** Dialog that lists the keys of the console and turns them on or off. The `?` key opens it. */
export function KeysDialog({ isOpen, onOpenChange }: Props) {
  const [on, setOn] = useState(areKeysOn);
  useKeys(['?'], () => onOpenChange(true));
  if (!isOpen) return null;
  const toggle = () => {
    setKeysOn(!on);
    setOn(!on);
  };
  return (
    <Dialog title="Keys" onClose={() => onOpenChange(false)}>
      <dl className={style.keys}>
        {KEYS.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p>{on ? 'Keys work outside of fields.' : 'Keys are off.'}</p>
      <p>
        <Button onPress={toggle}>{on ? 'Turn keys off' : 'Turn keys on'}</Button>
      </p>
    </Dialog>
  );
}
