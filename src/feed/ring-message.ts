import { z } from 'zod';

/**
 * Rings to send: the highest sequence by session id, or `LOOK` (read all followed logs) if there are too many
 * sessions to list.
 */
export type Rings = ReadonlyMap<string, number> | 'LOOK';

/** Message from one replica to the others. */
export interface RingMessage {
  /** Random id of the sending process. */
  readonly origin: string;
  readonly rings: Rings;
}

/**
 * Sessions listed in one message. Each takes at most 54 bytes (id, sequence and punctuation), so a message
 * stays under 7,700 bytes.
 */
const SESSIONS_IN_MESSAGE = 140;
/**
 * Limit of a NOTIFY payload. Replicas send no longer messages, so a longer one came from elsewhere and is
 * refused.
 */
export const MAX_MESSAGE_BYTES = 8_000;
const MAX_ID_LENGTH = 64;
/**
 * Maximum number of sessions that are listed before `LOOK` is sent instead: then reading all followed logs
 * costs the listeners less than reading the list.
 */
export const MAX_NAMED_SESSIONS = SESSIONS_IN_MESSAGE * 10;

const wireShape = z.object({
  from: z.string().max(MAX_ID_LENGTH),
  rings: z.array(z.tuple([z.string().max(MAX_ID_LENGTH), z.int().nonnegative()])).nullable(),
});

/** Queue of rings to send, in bounded memory: for each session only the highest sequence matters. */
export class PendingNotifications {
  #rings = new Map<string, number>();
  #tooMany = false;

  get isEmpty(): boolean {
    return this.#rings.size === 0 && !this.#tooMany;
  }

  add(sessionId: string, sequence: number): void {
    if (this.#tooMany) return;
    this.#rings.set(sessionId, Math.max(sequence, this.#rings.get(sessionId) ?? 0));
    if (this.#rings.size <= MAX_NAMED_SESSIONS) return;
    this.#tooMany = true;
    this.#rings.clear();
  }

  /** Puts back rings that were drained but may not have been delivered. */
  requeue(rings: Rings): void {
    if (rings !== 'LOOK') for (const [sessionId, sequence] of rings) this.add(sessionId, sequence);
    else {
      this.#tooMany = true;
      this.#rings.clear();
    }
  }

  /** Returns all queued rings and empties the queue. */
  drain(): Rings {
    const taken = this.#tooMany ? 'LOOK' : this.#rings;
    this.#rings = new Map();
    this.#tooMany = false;
    return taken;
  }
}

/** Serializes rings into messages of less than 8,000 bytes each, the limit of a NOTIFY payload. */
export function writeMessages({ origin, rings }: RingMessage): string[] {
  if (rings === 'LOOK') return [JSON.stringify({ from: origin, rings: null })];
  const named = [...rings];
  const messages: string[] = [];
  for (let start = 0; start < named.length; start += SESSIONS_IN_MESSAGE)
    messages.push(JSON.stringify({ from: origin, rings: named.slice(start, start + SESSIONS_IN_MESSAGE) }));
  return messages;
}

/** Parses a message of another replica; null if the text is not such a message. */
export function readMessage(text: string): RingMessage | null {
  if (text.length > MAX_MESSAGE_BYTES) return null;
  try {
    const { from, rings } = wireShape.parse(JSON.parse(text));
    return { origin: from, rings: rings === null ? 'LOOK' : new Map(rings) };
  } catch {
    return null;
  }
}
