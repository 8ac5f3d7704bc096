import type { Doorbell, DoorbellListener } from '../domain/ports.ts';

/** The doorbell within one process. */
export function createLocalDoorbell(): Doorbell {
  const listeners = new Set<DoorbellListener>();
  return {
    ring(sessionId, sequence) {
      for (const listener of listeners) listener.rung(sessionId, sequence);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      listeners.clear();
    },
  };
}
