import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { parse as uuidBytes, stringify as uuidText } from 'uuid';
import { type Clock, systemClock } from '../domain/ports.ts';
import { type Fingerprinted, getFingerprint } from './fingerprint.ts';

/**
 * Place in a log: right after the transition with this session id and sequence. Sequence 0 stands for the
 * place before a session's first transition.
 */
export interface LogPosition {
  readonly sessionId: string;
  readonly sequence: number;
  /** Fingerprint of the transition; null for sequence 0, and in cursors issued by an earlier release. */
  readonly fingerprint: number | null;
  /** Feed position of the transition; null unless the transition was read from the feed. */
  readonly position: number | null;
}

/** Place before the first transition of all sessions; also the end of an empty feed. */
export const LOG_START: LogPosition = {
  sessionId: '00000000-0000-0000-0000-000000000000',
  sequence: 0,
  fingerprint: null,
  position: null,
};

/** Returns the place before a session's first transition. */
export const logStart = (sessionId: string): LogPosition => ({ ...LOG_START, sessionId });

/**
 * Returns the place right after a transition. It has a position only if the transition was read from the
 * feed. Memoized on the transition, so that the place is encoded as a cursor once for all subscribers, see
 * `encodeOnce`.
 */
export function positionAfter(transition: Placed): LogPosition {
  const position = transition.position ?? null;
  const known = transition[MEMO];
  // The memo may have been copied with the entry (`{ ...entry }`) for another log, in which the position
  // differs.
  if (known?.position === position) return known;
  const { sessionId, sequence } = transition;
  const place = { sessionId, sequence, fingerprint: getFingerprint(transition), position };
  transition[MEMO] = place;
  return place;
}

const MEMO = Symbol('place');
type Placed = Fingerprinted & { readonly position?: number | null; [MEMO]?: LogPosition };

/** Reasons why a cursor that the gateway issued cannot be resumed any more. */
export type CursorExpiry =
  /** The session, or a transition after the cursor, was moved to an archive. */
  | 'ARCHIVED'
  /** The database lost the newest transitions: in a failover, or because it was restored from a backup. */
  | 'LOG_REWOUND';

const EXPIRED: Record<CursorExpiry, string> = {
  ARCHIVED:
    'The transitions at or after this cursor were archived: query again, and subscribe without the cursor.',
  LOG_REWOUND:
    'A failover or a restore rewound the log to before this cursor: query again, and subscribe without the cursor.',
};

/**
 * Thrown for a cursor that cannot be used. INVALID: this gateway did not issue the cursor. EXPIRED: the
 * gateway issued it, but the log has lost or archived the transitions that the cursor needs.
 */
export class CursorError extends Error {
  override readonly name = 'CursorError';
  constructor(
    readonly kind: 'INVALID' | 'EXPIRED',
    message: string,
    readonly expiry: CursorExpiry | null = null,
  ) {
    super(message);
  }
}

/** Returns the error for a cursor that was issued by this gateway but has expired. */
export const expiredCursor = (expiry: CursorExpiry): CursorError =>
  new CursorError('EXPIRED', EXPIRED[expiry], expiry);

export interface Cursors {
  encode(position: LogPosition): string;
  /**
   * @throws CursorError if this gateway did not issue the cursor, or issued it before a restore raised the
   * log's epoch
   */
  decode(cursor: string): LogPosition;
}

interface CursorOptions {
  readonly epoch: number;
  readonly cursorKey: Buffer;
  /**
   * Until this time, cursors are encoded in the last release's form: during a rolling upgrade a client may
   * reconnect to a replica of that release, which refuses the new form as invalid.
   */
  readonly oldCursorsUntil?: Date | null;
  readonly clock?: Clock;
}

/**
 * Size of a cursor's body: epoch (4 bytes), session id (16), sequence (4), fingerprint (6) and position (6).
 */
const BODY_BYTES = 36;
/** Size of the body of the last release's cursors, which lack fingerprint and position. */
const SHORT_BODY_BYTES = 24;
const MAC_BYTES = 12;
/**
 * Initial block counter of AES-CTR: with the 12-byte MAC as the nonce, it fills the 16-byte counter block.
 */
const FIRST_BLOCK = Buffer.alloc(4);

/**
 * Makes cursors opaque and authenticated: the body is encrypted with AES-256-CTR and its MAC is the nonce (a
 * synthetic IV), because the place at the feed's end may belong to a session that the cursor's reader may not
 * see. The same place always gives the same cursor. A cursor names a transition and not only a feed position,
 * so that every subscription can resume after a cursor from a query, a mutation or another subscription.
 */
export function createCursors({ epoch, cursorKey, oldCursorsUntil = null, clock }: CursorOptions): Cursors {
  const cipherKey = createHmac('sha256', cursorKey).update('cursor encryption').digest();
  const mac = (body: Buffer) =>
    createHmac('sha256', cursorKey)
      .update(body.length === BODY_BYTES ? 'cursor with fingerprint' : 'cursor')
      .update(body)
      .digest()
      .subarray(0, MAC_BYTES);
  /** Encrypts or decrypts: AES-CTR does both with the same operation. */
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
  /** Accepts cursors of an older release's form, which were signed but not encrypted. */
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
      if (body.readUInt32BE(0) !== epoch) throw expiredCursor('LOG_REWOUND');
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
