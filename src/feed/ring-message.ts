import { z } from 'zod';
import type { LocalDoorbell } from './doorbell.ts';

/** The highest sequence rung for, by session; `LOOK` where that would be too many to name. */
export type Rings = ReadonlyMap<string, number> | 'LOOK';

/** What one replica tells the others at once. */
export interface RingMessage {
  /** Which process says so. */
  readonly origin: string;
  readonly rings: Rings;
}

/** A session id, a sequence and what stands between take at most 54 bytes: with these a message stays under 7,700. */
const SESSIONS_IN_MESSAGE = 140;
/** Beyond these, looking at everything costs the listeners less than reading all the names. */
const MOST_NAMED = SESSIONS_IN_MESSAGE * 10;

const wireShape = z.object({
  from: z.string(),
  rings: z.array(z.tuple([z.string(), z.int().nonnegative()])).nullable(),
});

/** Rings on their way out, in bounded memory: of each session only the highest sequence counts. */
export class UnsentRings {
  #rings = new Map<string, number>();
  #tooMany = false;

  get none(): boolean {
    return this.#rings.size === 0 && !this.#tooMany;
  }

  add(sessionId: string, sequence: number): void {
    if (this.#tooMany) return;
    this.#rings.set(sessionId, Math.max(sequence, this.#rings.get(sessionId) ?? 0));
    if (this.#rings.size <= MOST_NAMED) return;
    this.#tooMany = true;
    this.#rings.clear();
  }

  /** What was taken and may not have got through. */
  giveBack(rings: Rings): void {
    if (rings !== 'LOOK') for (const [sessionId, sequence] of rings) this.add(sessionId, sequence);
    else {
      this.#tooMany = true;
      this.#rings.clear();
    }
  }

  /** Hands over everything and is empty again. */
  take(): Rings {
    const taken = this.#tooMany ? 'LOOK' : this.#rings;
    this.#rings = new Map();
    this.#tooMany = false;
    return taken;
  }
}

/** As texts of less than 8,000 bytes each, which is the most that PostgreSQL carries. */
export function writeMessages({ origin, rings }: RingMessage): string[] {
  if (rings === 'LOOK') return [JSON.stringify({ from: origin, rings: null })];
  const named = [...rings];
  const messages: string[] = [];
  for (let start = 0; start < named.length; start += SESSIONS_IN_MESSAGE)
    messages.push(JSON.stringify({ from: origin, rings: named.slice(start, start + SESSIONS_IN_MESSAGE) }));
  return messages;
}

/** Null for what is no message of ours. */
export function readMessage(text: string): RingMessage | null {
  try {
    const { from, rings } = wireShape.parse(JSON.parse(text));
    return { origin: from, rings: rings === null ? 'LOOK' : new Map(rings) };
  } catch {
    return null;
  }
}

/** Tells listeners here what a replica said; what is no message of ours makes them look, an own one nothing. */
export function hearMessage(here: LocalDoorbell, text: string, ownOrigin: string): void {
  const message = readMessage(text);
  if (message?.origin === ownOrigin) return;
  if (message === null || message.rings === 'LOOK') here.missed();
  else for (const [sessionId, sequence] of message.rings) here.ring(sessionId, sequence);
}
