/**
 * Load generator for HTTP. It hardly parses responses, so that it takes little CPU time from the server under
 * test.
 */
import { connect, type Socket } from 'node:net';

const END_OF_HEADERS = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');
const ERRORS = Buffer.from('"errors"');

/** Returns the bytes of an HTTP request for a keep-alive connection. */
export function requestOf(path: string, body: string, headers: Readonly<Record<string, string>>): Buffer {
  const head = Object.entries({
    host: '127.0.0.1',
    'content-type': 'application/json',
    accept: 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${head.join('')}\r\n${body}`);
}

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly milliseconds: number;
  /** Returns the next request to send. Each connection calls this when it has got the response to its last request. */
  next(): Buffer;
  /** Text that every response must contain, as proof that the server did the work. */
  readonly proof: string;
}

export interface Loaded {
  readonly requests: number;
  readonly seconds: number;
  /** Median of the milliseconds from a request to the end of its response; `p99` is their 99th percentile. */
  readonly p50: number;
  readonly p99: number;
  /** Mean size of a response body in bytes. */
  readonly answerBytes: number;
}

/**
 * Sends requests on all connections for a while. Each connection sends its next request as soon as the response
 * to the last one has arrived (closed-loop load). Rejects if a response lacks `proof` or has errors.
 */
export async function load({ port, connections, milliseconds, next, proof }: Load): Promise<Loaded> {
  const times: number[] = [];
  const expected = Buffer.from(proof);
  let bytes = 0;
  const begun = performance.now();
  const sockets = Array.from({ length: connections }, () => new KeptOpen(port));
  try {
    await Promise.all(
      sockets.map(async (socket) => {
        for (let sent = performance.now(); sent - begun < milliseconds; sent = performance.now()) {
          const body = await socket.exchange(next());
          if (!body.includes(expected) || body.includes(ERRORS))
            throw new Error(`Unexpected response: ${body}`);
          times.push(performance.now() - sent);
          bytes += body.length;
        }
      }),
    );
  } finally {
    for (const socket of sockets) socket.close();
  }
  const seconds = (performance.now() - begun) / 1000;
  return {
    requests: times.length,
    seconds,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    answerBytes: bytes / times.length,
  };
}

/** Returns a percentile: the value below which this part (0 to 1) of the values lies, such as 0.99. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** Keep-alive connection with one request at a time. */
export class KeptOpen {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #settle: ((body: Buffer) => void) | null = null;
  #fail: ((error: Error) => void) | null = null;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (bytes) => this.#read(bytes));
    this.#socket.on('error', (error) => this.#fail?.(error));
    this.#socket.on('close', () =>
      this.#fail?.(new Error('The server closed a connection with a request in flight')),
    );
  }

  /** Sends a request. Resolves with the body of the response; rejects if its status is not 2xx. */
  exchange(request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#fail = null;
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const end = this.#received.indexOf(END_OF_HEADERS);
    if (end < 0) return;
    const head = this.#received.toString('latin1', 0, end);
    const body = this.#received.subarray(end + END_OF_HEADERS.length);
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    const complete =
      length === undefined
        ? body.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)
        : body.length >= Number(length);
    if (!complete) return;
    this.#received = Buffer.alloc(0);
    const [settle, fail] = [this.#settle, this.#fail];
    this.#settle = this.#fail = null;
    if (/^HTTP\/1\.1 2/.test(head)) settle?.(body);
    else fail?.(new Error(`${head}\n\n${body}`));
  }
}
