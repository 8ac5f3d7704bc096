import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { parse as uuidBytes, stringify as uuidText } from 'uuid';

/** A place in the log: right after this transition. Sequence 0 is before a session's first. */
export interface LogPlace {
  readonly sessionId: string;
  readonly sequence: number;
}

/** Before the very first transition of all: the feed's end while it is empty. */
export const LOG_START: LogPlace = { sessionId: '00000000-0000-0000-0000-000000000000', sequence: 0 };

/** `INVALID` was never a cursor of ours; `EXPIRED` was one, of a log that has been replaced since. */
export class CursorError extends Error {
  override readonly name = 'CursorError';
  constructor(
    readonly kind: 'INVALID' | 'EXPIRED',
    message: string,
  ) {
    super(message);
  }
}

export interface Cursors {
  encode(place: LogPlace): string;
  /** Throws a `CursorError`. */
  decode(cursor: string): LogPlace;
}

const BODY_BYTES = 24;
const MAC_BYTES = 12;
/** Behind the MAC, the counter of a cursor's blocks. */
const FIRST_BLOCK = Buffer.alloc(4);

/**
 * Makes cursors opaque and authentic: a MAC over epoch, session and sequence, and those encrypted, with the MAC in place
 * of a nonce: the place at the feed's end may be of a session that is not its reader's to know of. They name a
 * transition and not a position, so that one from a query, a mutation or any feed is as good as another.
 */
export function createCursors({ epoch, cursorKey }: { epoch: number; cursorKey: Buffer }): Cursors {
  const cipherKey = createHmac('sha256', cursorKey).update('cursor encryption').digest();
  const mac = (body: Buffer) =>
    createHmac('sha256', cursorKey).update('cursor').update(body).digest().subarray(0, MAC_BYTES);
  /** Encrypts and decrypts. */
  const crypted = (body: Buffer, tag: Buffer) =>
    createCipheriv('aes-256-ctr', cipherKey, Buffer.concat([tag, FIRST_BLOCK])).update(body);
  function opened(cursor: string): Buffer | null {
    const bytes = Buffer.from(cursor, 'base64url');
    if (bytes.length !== MAC_BYTES + BODY_BYTES || bytes.toString('base64url') !== cursor) return null;
    const tag = bytes.subarray(0, MAC_BYTES);
    const body = crypted(bytes.subarray(MAC_BYTES), tag);
    return timingSafeEqual(tag, mac(body)) ? body : fromBefore(bytes);
  }
  /** Clients of the last release, which did not encrypt them, come with its cursors. */
  function fromBefore(bytes: Buffer): Buffer | null {
    const body = bytes.subarray(0, BODY_BYTES);
    return timingSafeEqual(bytes.subarray(BODY_BYTES), mac(body)) ? body : null;
  }

  return {
    encode({ sessionId, sequence }) {
      const body = Buffer.alloc(BODY_BYTES);
      body.writeUInt32BE(epoch, 0);
      body.set(uuidBytes(sessionId), 4);
      body.writeUInt32BE(sequence, 20);
      const tag = mac(body);
      return Buffer.concat([tag, crypted(body, tag)]).toString('base64url');
    },

    decode(cursor) {
      const body = opened(cursor);
      if (!body)
        throw new CursorError(
          'INVALID',
          'This is not a cursor of this gateway: give back one exactly as you got it.',
        );
      if (body.readUInt32BE(0) !== epoch) {
        throw new CursorError(
          'EXPIRED',
          'This cursor is from before the log was restored: query again and go on from there.',
        );
      }
      return { sessionId: uuidText(body.subarray(4, 20)), sequence: body.readUInt32BE(20) };
    },
  };
}
