import { useState } from 'react';
import { texts } from '../language/texts.ts';
import { Button } from './button.tsx';

type Theme = 'light' | 'dark';
const STORAGE_KEY = 'vkyc.theme';

function chosen(): Theme | null {
  const kept = localStorage.getItem(STORAGE_KEY);
  return kept === 'light' || kept === 'dark' ? kept : null;
}
const show = (theme: Theme) => document.documentElement.style.setProperty('color-scheme', theme);
const system = (): Theme => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

const kept = chosen();
if (kept) show(kept);

/**
 * Button that switches between the light and the dark theme. The choice is stored in the browser. Until the
 * user chooses a theme, the system's theme is used.
 */
export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(() => chosen() ?? system());
  const other = theme === 'light' ? 'dark' : 'light';
  const change = () => {
    localStorage.setItem(STORAGE_KEY, other);
    show(other);
    setTheme(other);
  };
  return (
    <Button look="quiet" aria-label={texts.frame.switchToTheme[other]} onPress={change}>
      <span aria-hidden>{theme === 'light' ? '☾' : '☀'}</span>
    </Button>
  );
}
