import { useEffect, useState } from 'react';

const NAMES = ['ink', 'ink-soft', 'line', 'surface', 'accent', 'good', 'bad', 'trouble', 'going'] as const;
/** Resolved colours of the theme, for the canvas, which does not understand CSS variables. */
export type Colours = Readonly<Record<(typeof NAMES)[number], string>>;

/** Resolves the CSS variables in the current theme. */
function read(): Colours {
  const probe = document.createElement('span');
  // During a CSS transition the computed style would be the old colour.
  probe.style.transitionProperty = 'none';
  document.body.append(probe);
  const entries = NAMES.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(entries) as Colours;
}

/** Returns the colours of the current theme and re-renders when the theme changes, in the console or in the system. */
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
