import { useEffect, useMemo } from 'react';

/**
 * Hook that creates an object, starts it on mount and stops it on unmount. If a value in `on` changes, the
 * hook replaces the object by a new one.
 */
export function useStartedWhileMounted<Live extends { start(): void; stop(): void }>(
  create: () => Live,
  on: readonly unknown[],
): Live {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caller passes the dependencies
  const live = useMemo(create, on);
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, [live]);
  return live;
}
