import type { Duplex } from 'node:stream';

/**
 * First bytes of an HTTP/2 connection from a client that assumes HTTP/2 without negotiation (prior
 * knowledge).
 */
const PREFACE = Buffer.from('PRI * HTTP/2.0');
const MESSAGE = 'The gateway serves HTTP/1.1 only: use a proxy for HTTP/2.';

const FRAME = { SETTINGS: 4, GOAWAY: 7 } as const;
/** Error code of RFC 9113 (HTTP_1_1_REQUIRED), which tells the client to use HTTP/1.1. */
const HTTP_1_1_REQUIRED = 13;

/** Whether bytes that the HTTP/1.1 parser could not read are the beginning of an HTTP/2 connection. */
export const isHttp2Preface = (bytes: unknown): boolean =>
  Buffer.isBuffer(bytes) && bytes.subarray(0, PREFACE.length).equals(PREFACE);

/**
 * Refuses an HTTP/2 connection with a GOAWAY frame. An HTTP/2 client would not understand an answer in
 * HTTP/1.1, and would report an empty reply.
 */
export function refuseHttp2(socket: Duplex): void {
  const lastStream = Buffer.alloc(4);
  const code = Buffer.alloc(4);
  code.writeUInt32BE(HTTP_1_1_REQUIRED);
  const goAway = frameOf(FRAME.GOAWAY, Buffer.concat([lastStream, code, Buffer.from(MESSAGE)]));
  socket.end(Buffer.concat([frameOf(FRAME.SETTINGS, Buffer.alloc(0)), goAway]), () => socket.destroy());
}

/** Encodes an HTTP/2 frame that concerns the whole connection (stream 0), without flags. */
function frameOf(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  return Buffer.concat([head, payload]);
}
