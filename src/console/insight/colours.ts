import { useEffect, useState } from 'react';

const NAMES = ['ink', 'ink-soft', 'line', 'surface', 'accent', 'good', 'bad', 'trouble', 'going'] as const;
/**
 * Colours of the theme by name, as computed values: the canvas of a chart does not understand CSS variables.
 */
export type Colours = Readonly<Record<(typeof NAMES)[number], string>>;

/** Computes the values that the CSS variables of the colours have in the current theme. */
function read(): Colours {
  const probe = document.createElement('span');
  // Turns transitions off: during one, the computed style would still be the old colour.
  probe.style.transitionProperty = 'none';
  document.body.append(probe);
  const entries = NAMES.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(entries) as Colours;
}

/**
 * Hook that returns the colours of the current theme. It renders again when the user or the system changes
 * the theme.
 */
export function useColours(): Colours {
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
