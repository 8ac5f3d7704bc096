import type { Doorbell } from '../domain/ports.ts';

/** The doorbell within one process. */
export function createLocalDoorbell(): Doorbell {
  const listeners = new Set<(sessionId: string, sequence: number) => void>();
  return {
    ring(sessionId, sequence) {
      for (const listener of listeners) listener(sessionId, sequence);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
