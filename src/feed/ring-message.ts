import { z } from 'zod';

/**
 * Rings (notifications of recorded transitions): the highest sequence by session id, or `LOOK` (read all
 * followed logs) if there are too many sessions to list.
 */
export type SessionRings = ReadonlyMap<string, number> | 'LOOK';

/** Message that one replica sends to the other replicas. */
export interface RingMessage {
  /** Random id of the sending process. */
  readonly origin: string;
  readonly rings: SessionRings;
}

/**
 * Maximum number of sessions in one message. Each takes at most 54 bytes (id, sequence and punctuation), so a
 * message stays under 7,700 bytes, below PostgreSQL's NOTIFY limit of 8,000.
 */
const SESSIONS_IN_MESSAGE = 140;
/** PostgreSQL's limit for a NOTIFY payload. A longer message cannot come from a replica, so it is refused. */
export const MAX_RING_MESSAGE_BYTES = 8_000;
const MAX_ID_LENGTH = 64;
/**
 * Maximum number of sessions in one batch of rings. For more sessions, `LOOK` (read all followed logs) is
 * sent instead, because reading every log once costs listeners less than a long list.
 */
export const MAX_SESSIONS_PER_RING_BATCH = SESSIONS_IN_MESSAGE * 10;

const wireShape = z.object({
  from: z.string().max(MAX_ID_LENGTH),
  rings: z.array(z.tuple([z.string().max(MAX_ID_LENGTH), z.int().nonnegative()])).nullable(),
});

/**
 * Queue of rings (notifications) to send. Its memory is bounded: it keeps only the highest sequence of each
 * session, and `LOOK` instead of too many sessions.
 */
export class PendingRings {
  #rings = new Map<string, number>();
  #tooMany = false;

  get isEmpty(): boolean {
    return this.#rings.size === 0 && !this.#tooMany;
  }

  add(sessionId: string, sequence: number): void {
    if (this.#tooMany) return;
    this.#rings.set(sessionId, Math.max(sequence, this.#rings.get(sessionId) ?? 0));
    if (this.#rings.size <= MAX_SESSIONS_PER_RING_BATCH) return;
    this.#tooMany = true;
    this.#rings.clear();
  }

  /** Puts rings back that `drain` returned but that may not have been delivered. */
  requeue(rings: SessionRings): void {
    if (rings !== 'LOOK') for (const [sessionId, sequence] of rings) this.add(sessionId, sequence);
    else {
      this.#tooMany = true;
      this.#rings.clear();
    }
  }

  /** Returns all queued rings and empties the queue. */
  drain(): SessionRings {
    const taken = this.#tooMany ? 'LOOK' : this.#rings;
    this.#rings = new Map();
    this.#tooMany = false;
    return taken;
  }
}

/** Serializes rings into messages of less than 8,000 bytes each, the limit of a NOTIFY payload. */
export function serializeRingMessages({ origin, rings }: RingMessage): string[] {
  if (rings === 'LOOK') return [JSON.stringify({ from: origin, rings: null })];
  const named = [...rings];
  const messages: string[] = [];
  for (let start = 0; start < named.length; start += SESSIONS_IN_MESSAGE)
    messages.push(JSON.stringify({ from: origin, rings: named.slice(start, start + SESSIONS_IN_MESSAGE) }));
  return messages;
}

/** Parses a message of another replica; returns null if the text has another form. */
export function parseRingMessage(text: string): RingMessage | null {
  if (text.length > MAX_RING_MESSAGE_BYTES) return null;
  try {
    const { from, rings } = wireShape.parse(JSON.parse(text));
    return { origin: from, rings: rings === null ? 'LOOK' : new Map(rings) };
  } catch {
    return null;
  }
}
