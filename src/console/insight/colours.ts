import { useEffect, useState } from 'react';

const NAMES = ['ink', 'ink-soft', 'line', 'surface', 'accent', 'good', 'bad', 'trouble', 'going'] as const;
/** The palette as a canvas can take it, which knows no variables. */
export type Colours = Readonly<Record<(typeof NAMES)[number], string>>;

/** What the variables come to in the theme that is shown. */
function read(): Colours {
  const probe = document.createElement('span');
  // A colour on its way to another would be read as the one it comes from.
  probe.style.transitionProperty = 'none';
  document.body.append(probe);
  const entries = NAMES.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(entries) as Colours;
}

/** The palette of the theme that is shown, and of the other once it is chosen, here or in the system. */
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
