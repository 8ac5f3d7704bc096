import { useEffect, useId, useRef, useState } from 'react';
import { texts } from '../language/texts.ts';
import { useShortcutKeys } from '../look/keys.ts';
import style from './floor-page.module.css';
import { MAX_SEARCH_LETTERS, MIN_SEARCH_LETTERS } from './query.ts';

const TYPING_PAUSE_MS = 250;

/**
 * Search field for a part of a verification id or reference id. The search starts when the user has paused typing
 * (debounce). The `/` key focuses the field.
 */
export function IdSearchField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  const hint = useId();
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const waiting = setTimeout(() => onChange(text), TYPING_PAUSE_MS);
    return () => clearTimeout(waiting);
  }, [text, value, onChange]);
  useShortcutKeys(['/'], () => field.current?.focus());
  const isTooShort = text !== '' && [...text].length < MIN_SEARCH_LETTERS;
  return (
    <div className={style.search}>
      <input
        ref={field}
        type="search"
        aria-label={texts.list.search}
        aria-describedby={hint}
        aria-keyshortcuts="/"
        placeholder={texts.list.searchPlaceholder}
        maxLength={MAX_SEARCH_LETTERS}
        value={text}
        onChange={(event) => setText(event.target.value.trim())}
      />
      <small id={hint} role="status">
        {isTooShort && texts.list.searchTooShort(MIN_SEARCH_LETTERS)}
      </small>
    </div>
  );
}
