import { useEffect, useRef, useState } from 'react';
import { texts } from '../language/texts.ts';
import { useKeys } from '../look/keys.ts';
import style from './floor-page.module.css';

const TYPING_PAUSE_MS = 250;

/**
 * Search field for the beginning of a verification id. The search starts when the user has paused typing
 * (debounce). The `/` key focuses the field.
 */
export function SearchField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const waiting = setTimeout(() => onChange(text), TYPING_PAUSE_MS);
    return () => clearTimeout(waiting);
  }, [text, value, onChange]);
  useKeys(['/'], () => field.current?.focus());
  return (
    <input
      ref={field}
      type="search"
      className={style.search}
      aria-label={texts.floor.idStartsWith}
      aria-keyshortcuts="/"
      placeholder={texts.floor.search}
      maxLength={50}
      value={text}
      onChange={(event) => setText(event.target.value.trim())}
    />
  );
}
