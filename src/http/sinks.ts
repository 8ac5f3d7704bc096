import type { ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import type { Sink } from '../feed/subscription.ts';

/**
 * High-water mark of a connection's send buffer, in bytes. While the buffer holds more, no frames (results of
 * subscriptions) are sent, until the client has read (backpressure).
 */
export const HIGH_WATER_MARK_BYTES = 128 * 1024;

const REPLAY = ',"extensions":{"replay":true}}';

/**
 * Returns the JSON text of a result. Replayed results, which the client missed earlier, get the extension
 * `replay: true`.
 */
const marked = (json: string, replay: boolean): string => (replay ? json.slice(0, -1) + REPLAY : json);

/** Send buffer of a connection. The buffer of a connection that is closing counts as full. */
export interface SendBuffer {
  readonly bufferedBytes: number;
  /** Corks the socket while `write` runs, so that all frames that `write` sends leave in one system call. */
  cork(write: () => void): void;
  /** Resolves when the send buffer is empty, or when the connection has closed. */
  drained(): Promise<void>;
}

/** Sink that sends the frames of one subscription over a WebSocket, as graphql-transport-ws messages. */
export class WebSocketSink implements Sink {
  readonly #client: WebSocket;
  readonly #room: SendBuffer;
  readonly #head: string;
  readonly #abandonCode: number;

  constructor(client: WebSocket, room: SendBuffer, id: string, abandonCode: number) {
    this.#client = client;
    this.#room = room;
    this.#head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    this.#abandonCode = abandonCode;
  }

  send(json: string, replay: boolean): void {
    if (this.#client.readyState === this.#client.OPEN)
      this.#client.send(`${this.#head}${marked(json, replay)}}`);
  }

  cork(send: () => void): void {
    this.#room.cork(send);
  }

  get writable(): boolean {
    return this.#room.bufferedBytes < HIGH_WATER_MARK_BYTES;
  }

  async drained(): Promise<void> {
    if (!this.writable) await this.#room.drained();
  }

  closeForRetry(): void {
    this.#client.close(this.#abandonCode, 'Try again later');
  }
}

/** Sink that sends the frames of one subscription as server-sent events of a response that stays open. */
export class SseSink implements Sink {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  send(json: string, replay: boolean): void {
    if (this.#response.writable) this.#response.write(`event: next\ndata: ${marked(json, replay)}\n\n`);
  }

  cork(send: () => void): void {
    this.#response.cork();
    try {
      send();
    } finally {
      this.#response.uncork();
    }
  }

  get writable(): boolean {
    return this.#response.writable && this.#response.writableLength < HIGH_WATER_MARK_BYTES;
  }

  drained(): Promise<void> {
    if (this.writable) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#response.off('drain', done);
        this.#response.off('close', done);
        resolve();
      };
      this.#response.on('drain', done);
      this.#response.on('close', done);
    });
  }

  closeForRetry(): void {
    this.#response.destroy();
  }
}
