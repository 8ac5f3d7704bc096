import { randomBytes, randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { clientFrame, FrameReader, OPCODE } from './frames.ts';

/**
 * Subscription of the bench. It selects nothing that depends on the viewer, so that all subscribers can share
 * one result.
 */
export const SUBSCRIPTION = `subscription ($after: String) {
  statusTransitions(after: $after) {
    cursor
    sequence
    status
    subStatus
    statusInfo { explanation waitingOn terminal }
    recordedAt
  }
}`;

/** Maximum length in bytes of the messages `connection_ack` and `pong`; every result is longer. */
const LONGEST_SMALL_TALK = 40;
const END_OF_HEADERS = '\r\n\r\n';
const READY_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 2_000;
const NORMAL_CLOSURE = Buffer.from([0x03, 0xe8]);

/** Read buffer that all sockets share, which is safe because each chunk is processed before the next read. */
const buffer = Buffer.allocUnsafe(256 * 1024);

interface Options {
  readonly port: number;
  readonly token: string;
  /** Subscription to send instead of `SUBSCRIPTION`. */
  readonly query?: string;
  /** Cursor after which the subscription starts; null: from now on. */
  readonly after: string | null;
  /** Called for each result with the size of its frame. `text` is null unless `keepTexts` is set. */
  onData(bytes: number, text: string | null): void;
  /** Whether results are decoded to text. Decoding takes CPU time, so only one of many subscribers decodes. */
  readonly keepTexts: boolean;
}

/**
 * Subscriber on a socket of its own. It decodes as little as possible, because the bench measures the server,
 * and the subscribers must not become the bottleneck.
 */
export class Subscriber {
  /** Resolves when the server has read the subscription; rejects if the connection closes earlier. */
  readonly ready: Promise<void>;
  readonly #socket: Socket;
  readonly #options: Options;
  readonly #reader: FrameReader;
  readonly #closed: Promise<void>;
  #headers = '';
  #upgraded = false;
  #farewell = '';
  #setReady: () => void = () => {};

  constructor(options: Options) {
    this.#options = options;
    this.#reader = new FrameReader(
      (opcode, length) => opcode !== OPCODE.TEXT || length <= LONGEST_SMALL_TALK || options.keepTexts,
      (opcode, length, payload) => this.#arrived(opcode, length, payload),
    );
    const callback = (length: number) => {
      this.#read(buffer.subarray(0, length));
      return true;
    };
    this.#socket = connect({
      port: options.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer, callback },
    });
    this.#closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
    this.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new Error(`The server did not acknowledge a subscriber within ${READY_TIMEOUT_MS / 1000} s`),
          ),
        READY_TIMEOUT_MS,
      );
      this.#setReady = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#socket.once('error', reject);
      this.#socket.once('close', () =>
        reject(new Error(`The server closed a subscription: ${this.#farewell || this.#headers}`)),
      );
    });
    this.#socket.write(
      [
        'GET /graphql HTTP/1.1',
        `Host: 127.0.0.1:${options.port}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        'Sec-WebSocket-Protocol: graphql-transport-ws',
        '\r\n',
      ].join('\r\n'),
    );
  }

  async close(): Promise<void> {
    this.#socket.write(clientFrame(OPCODE.CLOSE, NORMAL_CLOSURE));
    const impatient = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS);
    await this.#closed;
    clearTimeout(impatient);
  }

  #read(bytes: Buffer): void {
    if (this.#upgraded) this.#reader.read(bytes);
    else this.#upgrade(bytes);
  }

  #upgrade(bytes: Buffer): void {
    this.#headers += bytes.toString('latin1');
    const end = this.#headers.indexOf(END_OF_HEADERS);
    if (end < 0) return;
    if (!this.#headers.startsWith('HTTP/1.1 101')) {
      this.#socket.destroy();
      return;
    }
    this.#upgraded = true;
    this.#send({
      type: 'connection_init',
      payload: { authorization: `Bearer ${this.#options.token}` },
    });
    const rest = Buffer.from(this.#headers.slice(end + END_OF_HEADERS.length), 'latin1');
    this.#headers = '';
    this.#reader.read(rest);
  }

  #arrived(opcode: number, length: number, payload: Buffer | null): void {
    if (opcode === OPCODE.PING) this.#socket.write(clientFrame(OPCODE.PONG, payload ?? ''));
    if (opcode === OPCODE.CLOSE) {
      if (payload && length >= 2) this.#farewell = `${payload.readUInt16BE(0)} ${payload.subarray(2)}`;
      this.#socket.end();
    }
    if (opcode !== OPCODE.TEXT) return;
    if (length > LONGEST_SMALL_TALK) this.#options.onData(length, payload?.toString() ?? null);
    else this.#smallTalk(String(payload));
  }

  #smallTalk(text: string): void {
    if (text.includes('connection_ack')) {
      const { after, query = SUBSCRIPTION } = this.#options;
      const payload = { query, variables: { after } };
      this.#send({ id: randomUUID(), type: 'subscribe', payload });
      // graphql-transport-ws does not acknowledge a subscription, but the server answers this ping only after it
      // has read the subscription.
      this.#send({ type: 'ping' });
    }
    if (text.includes('pong')) this.#setReady();
  }

  #send(message: object): void {
    this.#socket.write(clientFrame(OPCODE.TEXT, JSON.stringify(message)));
  }
}
