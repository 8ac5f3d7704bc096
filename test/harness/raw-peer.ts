/** Raw HTTP and WebSocket client that writes bytes itself, so that it can break the protocol. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { atTheEnd, eventually } from './gateway.ts';

/** A WebSocket frame. By default it is a complete, masked text message. */
export interface Frame {
  readonly payload?: string | Buffer | object;
  readonly opcode?: number;
  /** Whether this is the last frame of its message (FIN). */
  readonly last?: boolean;
  readonly masked?: boolean;
  /** The three reserved bits (RSV), which extensions use. */
  readonly reserved?: number;
}

export const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

export function frameOf(frame: Frame): Buffer {
  const { payload = '', opcode = OPCODE.TEXT, last = true, masked = true, reserved = 0 } = frame;
  const isBytes = typeof payload === 'string' || Buffer.isBuffer(payload);
  const bytes = Buffer.from(isBytes ? payload : JSON.stringify(payload));
  const mask = masked ? 0x80 : 0;
  const length =
    bytes.length > 125
      ? [mask | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (bytes.length >> shift) & 255)]
      : [mask | bytes.length];
  const head = [(last ? 0x80 : 0) | (reserved << 4) | opcode, ...length, ...(masked ? [0, 0, 0, 0] : [])];
  return Buffer.concat([Buffer.from(head), bytes]);
}

export interface RawPeer {
  readonly socket: Socket;
  /** All bytes received so far, one character per byte. */
  readonly heard: string;
  send(bytes: string | Buffer): void;
  hears(text: string): Promise<unknown>;
  /** Resolves with all bytes received once the gateway has closed or reset the connection. */
  readonly ended: Promise<string>;
}

/** Connects without sending anything. The test's side of the connection stays open until the test ends. */
export async function rawPeer(url: string): Promise<RawPeer> {
  const { port } = new URL(url);
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  atTheEnd(async () => void socket.destroy());
  await once(socket, 'connect');
  let heard = '';
  socket.on('data', (bytes) => {
    heard += bytes.toString('latin1');
  });
  return {
    socket,
    get heard() {
      return heard;
    },
    send: (bytes) => void socket.write(bytes),
    hears: (text) => eventually(async () => heard.includes(text)),
    ended: new Promise((resolve) => {
      const done = () => resolve(heard);
      socket.once('end', done).once('close', done);
    }),
  };
}

/** Sends a WebSocket upgrade request; the server decides whether to accept it. */
export async function rawWebSocket(url: string, headers: Record<string, string> = {}): Promise<RawPeer> {
  const peer = await rawPeer(url);
  const lines = Object.entries({
    Host: new URL(url).host,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': 'graphql-transport-ws',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  peer.send(`GET /graphql HTTP/1.1\r\n${lines.join('')}\r\n`);
  return peer;
}

/** Returns the code of the WebSocket close frame in the received bytes; null if there is none. */
export function closeCodeOf(heard: string): number | null {
  let rest = Buffer.from(heard.slice(heard.indexOf('\r\n\r\n') + 4), 'latin1');
  while (rest.length >= 2) {
    const [first, second] = rest as unknown as [number, number];
    const [head, length] =
      second < 126
        ? [2, second]
        : second === 126
          ? [4, rest.readUInt16BE(2)]
          : [10, Number(rest.readBigUInt64BE(2))];
    if ((first & 15) === OPCODE.CLOSE) return length >= 2 ? rest.readUInt16BE(head) : null;
    rest = rest.subarray(head + length);
  }
  return null;
}
