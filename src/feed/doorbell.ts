import type { Logger } from 'pino';
import type { Doorbell, DoorbellListener } from '../domain/ports.ts';

/**
 * Doorbell (notification that transitions were recorded) within one process. The doorbell between replicas
 * (PostgreSQL or NATS) calls `ring` for each notification of another replica, and `missed` if such
 * notifications may have been lost.
 */
export interface LocalDoorbell extends Doorbell {
  /**
   * Calls `onGap` of every listener: notifications may have been lost, so listeners should read their logs.
   */
  missed(): void;
}

/**
 * Creates the doorbell within this process, through which the doorbell between replicas delivers
 * notifications.
 */
export function createLocalDoorbell(log?: Logger): LocalDoorbell {
  const listeners = new Set<DoorbellListener>();
  const tellAll = (tell: (listener: DoorbellListener) => void) => {
    for (const listener of listeners) {
      try {
        tell(listener);
      } catch (error) {
        // The transition is already committed, so a listener's error must not fail the code that recorded the
        // transition.
        log?.error({ err: error }, 'listener for recorded transitions failed');
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
