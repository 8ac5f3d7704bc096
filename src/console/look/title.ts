import { useEffect } from 'react';

/** Hook that names the page in the title of the browser's tab; null until the name is known. */
export function useTitle(name: string | null): void {
  useEffect(() => {
    document.title = name ? `${name} · VKYC console` : 'VKYC console';
  }, [name]);
}
