/** Minimal WebSocket framing for a client (RFC 6455), which counts incoming frames at almost no cost. */

export const OPCODE = { TEXT: 1, CLOSE: 8, PING: 9, PONG: 10 } as const;

const LENGTH_BYTES: Record<number, number> = { 126: 2, 127: 8 };
const LONGEST_HEADER = 10;

/** Called with the header of each frame; returns whether the reader must collect the payload of this frame. */
export type Wanted = (opcode: number, length: number) => boolean;
/** Called at the end of each frame. `payload` is null if `Wanted` returned false for the frame. */
export type Arrived = (opcode: number, length: number, payload: Buffer | null) => void;

/**
 * Splits a stream of bytes, in chunks of any size, into WebSocket frames. Skips payloads for which `Wanted`
 * returns false.
 */
export class FrameReader {
  readonly #wanted: Wanted;
  readonly #arrived: Arrived;
  readonly #header = Buffer.alloc(LONGEST_HEADER);
  #headerLength = 0;
  #opcode = 0;
  #length = 0;
  /** Number of payload bytes that the current frame still lacks; -1 until its header is complete. */
  #left = -1;
  #payload: Buffer | null = null;

  constructor(wanted: Wanted, arrived: Arrived) {
    this.#wanted = wanted;
    this.#arrived = arrived;
  }

  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left < 0) {
        this.#header[this.#headerLength] = bytes[at] as number;
        this.#headerLength += 1;
        at += 1;
        this.#startPayload();
      } else {
        const taken = Math.min(this.#left, bytes.length - at);
        this.#payload?.set(bytes.subarray(at, at + taken), this.#length - this.#left);
        this.#left -= taken;
        at += taken;
      }
      if (this.#left === 0) this.#finish();
    }
  }

  #startPayload(): void {
    const header = this.#header;
    if (this.#headerLength < 2) return;
    // The second byte is just the length, because servers do not set the highest bit of that byte (MASK).
    const short = header[1] as number;
    const lengthBytes = LENGTH_BYTES[short] ?? 0;
    if (this.#headerLength < 2 + lengthBytes) return;
    this.#length = short;
    if (lengthBytes === 2) this.#length = header.readUInt16BE(2);
    if (lengthBytes === 8) this.#length = Number(header.readBigUInt64BE(2));
    this.#opcode = (header[0] as number) & 0x0f;
    this.#left = this.#length;
    this.#payload = this.#wanted(this.#opcode, this.#length) ? Buffer.alloc(this.#length) : null;
  }

  #finish(): void {
    const payload = this.#payload;
    this.#payload = null;
    this.#headerLength = 0;
    this.#left = -1;
    this.#arrived(this.#opcode, this.#length, payload);
  }
}

/**
 * Encodes a frame of a client. RFC 6455 requires clients to mask the payload (XOR); a mask of zeros leaves the
 * payload unchanged.
 */
export function clientFrame(opcode: number, payload: string | Buffer): Buffer {
  const body = Buffer.from(payload);
  const isLong = body.length >= 126;
  const header = Buffer.alloc(isLong ? 8 : 6);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | (isLong ? 126 : body.length);
  if (isLong) header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}
