import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { parse as uuidBytes, stringify as uuidText } from 'uuid';
import { type Clock, systemClock } from '../domain/ports.ts';
import { type FingerprintedFields, getTransitionFingerprint } from './fingerprint.ts';

/**
 * Place in a log, named by a transition: right after the transition with this session id and sequence.
 * Sequence 0 is the place before the session's first transition.
 */
export interface LogPosition {
  readonly sessionId: string;
  readonly sequence: number;
  /**
   * Fingerprint (digest) of the transition; null for sequence 0, and in cursors that an earlier release
   * issued.
   */
  readonly fingerprint: number | null;
  /** Feed position of the transition; null unless the transition was read from the feed. */
  readonly position: number | null;
}

/**
 * Place before the first transition of all sessions: the start of the feed, and also the end of an empty
 * feed.
 */
export const FEED_START_POSITION: LogPosition = {
  sessionId: '00000000-0000-0000-0000-000000000000',
  sequence: 0,
  fingerprint: null,
  position: null,
};

/** Returns the place before the first transition of a session. */
export const getSessionStartPosition = (sessionId: string): LogPosition => ({
  ...FEED_START_POSITION,
  sessionId,
});

/**
 * Returns the place right after a transition, with a feed position only if the transition was read from the
 * feed. Memoized on the transition, so that all subscribers share one object, which `encodeOnce` encodes as a
 * cursor only once.
 */
export function getPositionAfter(transition: Placed): LogPosition {
  const position = transition.position ?? null;
  const known = transition[MEMO];
  // If the entry was copied (`{ ...entry }`) for another log, the memo was copied too, but its position may
  // be wrong for that log.
  if (known?.position === position) return known;
  const { sessionId, sequence } = transition;
  const place = { sessionId, sequence, fingerprint: getTransitionFingerprint(transition), position };
  transition[MEMO] = place;
  return place;
}

const MEMO = Symbol('place');
type Placed = FingerprintedFields & { readonly position?: number | null; [MEMO]?: LogPosition };

/** Reasons why a cursor that the gateway issued cannot be resumed any more. */
export type CursorExpiryReason =
  /** Retention moved the session, or a transition after the cursor, to an archive. */
  | 'ARCHIVED'
  /** The database lost the newest transitions: in a failover, or because it was restored from a backup. */
  | 'LOG_REWOUND';

const EXPIRED: Record<CursorExpiryReason, string> = {
  ARCHIVED:
    'The transitions at or after this cursor were archived: query again, and subscribe without the cursor.',
  LOG_REWOUND:
    'A failover or a restore rewound the log to before this cursor: query again, and subscribe without the cursor.',
};

/**
 * Thrown for a cursor that cannot be used. INVALID: this gateway did not issue the cursor. EXPIRED: this
 * gateway issued the cursor, but the transitions that the cursor needs were archived or lost.
 */
export class CursorError extends Error {
  override readonly name = 'CursorError';
  constructor(
    readonly kind: 'INVALID' | 'EXPIRED',
    message: string,
    readonly expiry: CursorExpiryReason | null = null,
  ) {
    super(message);
  }
}

/** Returns the error for a cursor that was issued by this gateway but has expired. */
export const createExpiredCursorError = (expiry: CursorExpiryReason): CursorError =>
  new CursorError('EXPIRED', EXPIRED[expiry], expiry);

export interface CursorCodec {
  encode(position: LogPosition): string;
  /**
   * Decodes a cursor to its place in the log.
   * @throws CursorError if this gateway did not issue the cursor, or issued it before a restore from a
   * backup, which raises the epoch
   */
  decode(cursor: string): LogPosition;
}

interface CursorOptions {
  readonly epoch: number;
  readonly cursorKey: Buffer;
  /**
   * Until this time, cursors are encoded in the last release's form. During a rolling upgrade, a client may
   * reconnect to a replica of the last release, which refuses the new form.
   */
  readonly oldCursorsUntil?: Date | null;
  readonly clock?: Clock;
}

/**
 * Size of a cursor's body: epoch (4 bytes), session id (16), sequence (4), fingerprint (6) and feed position
 * (6).
 */
const BODY_BYTES = 36;
/** Size of the body in cursors of the last release, which contain no fingerprint and no feed position. */
const SHORT_BODY_BYTES = 24;
const MAC_BYTES = 12;
/**
 * Initial block counter of AES-CTR. The 12-byte MAC serves as nonce, and this counter fills the rest of the
 * 16-byte counter block.
 */
const FIRST_BLOCK = Buffer.alloc(4);

/**
 * Creates the encoder of opaque, authenticated cursors. The body is encrypted with AES-256-CTR, with its MAC
 * as nonce (synthetic IV), because the cursor of the feed's end names a session, which the client may not be
 * allowed to see. A cursor names a transition, not only a feed position, so that any subscription can resume
 * after a cursor from any query, mutation or subscription.
 */
export function createCursorCodec({
  epoch,
  cursorKey,
  oldCursorsUntil = null,
  clock,
}: CursorOptions): CursorCodec {
  const cipherKey = createHmac('sha256', cursorKey).update('cursor encryption').digest();
  const mac = (body: Buffer) =>
    createHmac('sha256', cursorKey)
      .update(body.length === BODY_BYTES ? 'cursor with fingerprint' : 'cursor')
      .update(body)
      .digest()
      .subarray(0, MAC_BYTES);
  /** Encrypts or decrypts; in AES-CTR both are the same operation. */
  const crypted = (body: Buffer, tag: Buffer) =>
    createCipheriv('aes-256-ctr', cipherKey, Buffer.concat([tag, FIRST_BLOCK])).update(body);

  function open(cursor: string): Buffer | null {
    const bytes = Buffer.from(cursor, 'base64url');
    const bodyBytes = bytes.length - MAC_BYTES;
    if (bodyBytes !== BODY_BYTES && bodyBytes !== SHORT_BODY_BYTES) return null;
    if (bytes.toString('base64url') !== cursor) return null;
    const tag = bytes.subarray(0, MAC_BYTES);
    const body = crypted(bytes.subarray(MAC_BYTES), tag);
    if (timingSafeEqual(tag, mac(body))) return body;
    return bodyBytes === SHORT_BODY_BYTES ? openUnencrypted(bytes) : null;
  }
  /**
   * Verifies a cursor in the form of an older release, signed but not encrypted; null if the signature is
   * wrong.
   */
  function openUnencrypted(bytes: Buffer): Buffer | null {
    const body = bytes.subarray(0, SHORT_BODY_BYTES);
    return timingSafeEqual(bytes.subarray(SHORT_BODY_BYTES), mac(body)) ? body : null;
  }

  const isUpgrade = () =>
    oldCursorsUntil !== null && (clock ?? systemClock).now().getTime() < oldCursorsUntil.getTime();

  return {
    encode({ sessionId, sequence, fingerprint, position }) {
      const isOld = isUpgrade();
      const body = Buffer.alloc(isOld ? SHORT_BODY_BYTES : BODY_BYTES);
      body.writeUInt32BE(epoch, 0);
      body.set(uuidBytes(sessionId), 4);
      body.writeUInt32BE(sequence, 20);
      if (isOld) return Buffer.concat([body, mac(body)]).toString('base64url');
      body.writeUIntBE(fingerprint ?? 0, 24, 6);
      body.writeUIntBE(position ?? 0, 30, 6);
      const tag = mac(body);
      return Buffer.concat([tag, crypted(body, tag)]).toString('base64url');
    },

    decode(cursor) {
      const body = open(cursor);
      if (!body)
        throw new CursorError(
          'INVALID',
          'The cursor was not issued by this gateway: pass a cursor exactly as you received it.',
        );
      if (body.readUInt32BE(0) !== epoch) throw createExpiredCursorError('LOG_REWOUND');
      const isShort = body.length === SHORT_BODY_BYTES;
      return {
        sessionId: uuidText(body.subarray(4, 20)),
        sequence: body.readUInt32BE(20),
        fingerprint: (isShort ? 0 : body.readUIntBE(24, 6)) || null,
        position: (isShort ? 0 : body.readUIntBE(30, 6)) || null,
      };
    },
  };
}
