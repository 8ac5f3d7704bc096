import type { Logger } from 'pino';
import type { Doorbell, DoorbellListener } from '../domain/ports.ts';

/**
 * Doorbell of one process, which notifies its listeners. The doorbell between replicas (PostgreSQL or NATS)
 * rings it, and calls `missed` if notifications of other replicas may have been lost.
 */
export interface LocalDoorbell extends Doorbell {
  /** Tells every listener that rings may have been missed. */
  missed(): void;
}

/** Creates the in-process doorbell, to which the doorbells between replicas deliver. */
export function createLocalDoorbell(log?: Logger): LocalDoorbell {
  const listeners = new Set<DoorbellListener>();
  const tellAll = (tell: (listener: DoorbellListener) => void) => {
    for (const listener of listeners) {
      try {
        tell(listener);
      } catch (error) {
        // The transition is already committed: a listener's error must not reach the code that recorded it.
        log?.error({ err: error }, 'doorbell listener failed');
      }
    }
  };
  return {
    ring: (...ring) => tellAll((listener) => listener.onRing(...ring)),
    missed: () => tellAll((listener) => listener.onGap()),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      listeners.clear();
    },
  };
}
