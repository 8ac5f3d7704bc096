import { useEffect, useState } from 'react';

const NAMES = ['ink', 'ink-soft', 'line', 'surface', 'accent', 'good', 'bad', 'trouble', 'going'] as const;
/**
 * Colours of the theme by name. The colours are computed values, because the canvas of a chart does not
 * understand CSS variables.
 */
export type ThemeColours = Readonly<Record<(typeof NAMES)[number], string>>;

/** Computes the values that the CSS variables of the colours have in the current theme. */
function read(): ThemeColours {
  const probe = document.createElement('span');
  // Turns CSS transitions off, because during a transition the computed colour would still be the old one.
  probe.style.transitionProperty = 'none';
  document.body.append(probe);
  const entries = NAMES.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(entries) as ThemeColours;
}

/**
 * Hook that returns the colours of the current theme. The component renders again when the user or the system
 * changes the theme.
 */
export function useThemeColours(): ThemeColours {
  const [colours, setColours] = useState(read);
  useEffect(() => {
    const again = () => setColours(read());
    const chosen = new MutationObserver(again);
    chosen.observe(document.documentElement, { attributeFilter: ['style'] });
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', again);
    return () => {
      chosen.disconnect();
      system.removeEventListener('change', again);
    };
  }, []);
  return colours;
}
