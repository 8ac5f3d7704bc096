/** Loaded into a server under test by `--import`, so that the product needs no code for being measured. */
import { answerOrders } from './orders.ts';

/** Memory of a process after a full garbage collection. */
export interface Memory {
  /** Bytes held by the heap and by `external`, which includes array buffers. */
  readonly heldBytes: number;
  /** Resident set size as the system reports it; noisy. */
  readonly residentBytes: number;
}

/** Several passes: recently closed sockets and objects with finalizers are freed only after some collections. */
const PASSES = 4;
const PAUSE_MS = 100;

async function readMemory(): Promise<Memory> {
  for (let pass = 0; pass < PASSES; pass += 1) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    global.gc?.();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heldBytes: heapUsed + external, residentBytes: rss };
}

answerOrders({ memory: readMemory });
// Does not keep the server alive: it must end when its own work does.
process.channel?.unref();
