/**
 * Measures the memory of a server from inside its process. Node preloads this module (`--import`), so that the
 * server itself needs no code for the measurement.
 */
import { answerOrders } from './orders.ts';

/** Memory of a process in bytes, after a full garbage collection. */
export interface Memory {
  /**
   * Bytes of the JavaScript heap and of memory outside of it that its objects hold (`external`, with array
   * buffers).
   */
  readonly heldBytes: number;
  /** Resident set size, as the operating system reports it; it varies between runs. */
  readonly residentBytes: number;
}

/** Number of garbage collections before a measurement: closed sockets and finalized objects need several. */
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
// The IPC channel must not keep the server's process alive, so that the server can end by itself.
process.channel?.unref();
