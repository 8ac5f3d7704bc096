import { useEffect } from 'react';
import { texts } from '../language/texts.ts';

/** Hook that names the page in the title of the browser's tab; null until the name is known. */
export function useTitle(name: string | null): void {
  useEffect(() => {
    document.title = name ? `${name} · ${texts.frame.consoleName}` : texts.frame.consoleName;
  }, [name]);
}
