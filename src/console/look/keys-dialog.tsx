import { useState } from 'react';
import { texts } from '../language/texts.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { areShortcutKeysOn, setShortcutKeysOn, useShortcutKeys } from './keys.ts';
import style from './keys-dialog.module.css';

interface Props {
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
}

/** Dialog that lists the keys of the console and turns them on or off. The `?` key opens it. */
export function ShortcutKeysDialog({ isOpen, onOpenChange }: Props) {
  const [on, setOn] = useState(areShortcutKeysOn);
  useShortcutKeys(['?'], () => onOpenChange(true));
  if (!isOpen) return null;
  const toggle = () => {
    setShortcutKeysOn(!on);
    setOn(!on);
  };
  return (
    <Dialog title={texts.frame.keys} onClose={() => onOpenChange(false)}>
      <dl className={style.keys}>
        {Object.entries(texts.frame.keyMeanings).map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p>{on ? texts.frame.keysOn : texts.frame.keysOff}</p>
      <p>
        <Button onPress={toggle}>{on ? texts.frame.turnKeysOff : texts.frame.turnKeysOn}</Button>
      </p>
    </Dialog>
  );
}
