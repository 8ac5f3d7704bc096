import { useEffect, useRef } from 'react';

const STORAGE_KEY = 'vkyc.keys';

/** Whether single keys do something. Users who dictate, or who hit keys by accident, turn them off (WCAG 2.1.4). */
export const areShortcutKeysOn = (): boolean => localStorage.getItem(STORAGE_KEY) !== 'off';

/** Turns single keys on or off. The choice is stored in the browser. */
export const setShortcutKeysOn = (on: boolean): void => localStorage.setItem(STORAGE_KEY, on ? 'on' : 'off');

const TYPING = 'input:not([type=checkbox]), textarea, select, [contenteditable]';

/**
 * Hook that calls `act` when the user presses one of the keys outside of fields and dialogs, without Ctrl, Alt or Meta.
 */
export function useShortcutKeys(keys: readonly string[], act: (key: string) => void): void {
  const newest = useRef({ keys, act });
  useEffect(() => {
    newest.current = { keys, act };
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { ctrlKey, altKey, metaKey, key, target } = event;
      if (ctrlKey || altKey || metaKey || !newest.current.keys.includes(key) || !areShortcutKeysOn()) return;
      const isTyping = target instanceof Element && target.matches(TYPING);
      if (isTyping || document.querySelector('[role=dialog], [role=menu]')) return;
      event.preventDefault();
      newest.current.act(key);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}
