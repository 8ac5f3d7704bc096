import type { Logger } from 'pino';
import type { Doorbell, DoorbellListener } from '../domain/ports.ts';

/** A doorbell whose rings, and whose gaps, come from this process. */
export interface LocalDoorbell extends Doorbell {
  /** Tells every listener to look at everything. */
  missed(): void;
}

/** The doorbell within one process, and the near end of those between replicas. */
export function createLocalDoorbell(log?: Logger): LocalDoorbell {
  const listeners = new Set<DoorbellListener>();
  const tellAll = (tell: (listener: DoorbellListener) => void) => {
    for (const listener of listeners) {
      try {
        tell(listener);
      } catch (error) {
        // What was rung for is committed: a listener's failure must not look like the recorder's.
        log?.error({ err: error }, 'a listener of the doorbell failed');
      }
    }
  };
  return {
    ring: (...ring) => tellAll((listener) => listener.rung(...ring)),
    missed: () => tellAll((listener) => listener.missed()),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      listeners.clear();
    },
  };
}
