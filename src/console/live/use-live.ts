import { useEffect, useMemo } from 'react';

/** Something live for as long as it is shown with these dependencies; stopped when it is not. */
export function useLive<Live extends { start(): void; stop(): void }>(
  create: () => Live,
  on: readonly unknown[],
): Live {
  // biome-ignore lint/correctness/useExhaustiveDependencies: what it is made of is what the caller says
  const live = useMemo(create, on);
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, [live]);
  return live;
}
