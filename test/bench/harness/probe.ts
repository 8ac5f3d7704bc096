/** Loaded before a server under test (`--import`), so that the product need not know how it is measured. */
import { answerOrders } from './orders.ts';

/** What a process holds on to once everything that can be collected is. */
export interface Memory {
  /** The heap, and what JavaScript keeps outside it: `external`, which counts array buffers too. */
  readonly heldBytes: number;
  /** What the system counts; noisy. */
  readonly residentBytes: number;
}

/** Sockets that were just closed, and what finalizers let go, are gone after some passes. */
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
// The server ends when its own work does, as without a probe.
process.channel?.unref();
