import { Client, fetchExchange, type OperationResult, type TypedDocumentNode } from '@urql/core';
import { createClient } from 'graphql-ws';
import { type FeedState, resuming } from 'vkyc-gateway/client';
import { texts } from '../language/texts.ts';
import { VkycViewer } from '../operations.ts';
import { getOperationText } from './document.ts';
import { obtainAccessToken, type SignInMethod } from './sign-in.ts';

/** Failed request to the gateway. `message` is shown to the user and says what to do. */
export class GatewayError extends Error {
  constructor(
    message: string,
    /** Error code that the gateway sent; null if the gateway could not be reached. */
    readonly code: string | null,
  ) {
    super(message);
  }

  /** Whether the same request may succeed later, so that a retry makes sense. */
  get isTransient(): boolean {
    return this.code === null || TRANSIENT_CODES.has(this.code);
  }
}

/** Error codes of temporary problems: the same request may succeed later. */
const TRANSIENT_CODES = new Set(['INTERNAL_SERVER_ERROR', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'TIMEOUT']);

interface Watcher<Result> {
  /** Called for each frame (result) of the subscription. */
  next(frame: Result): void;
  /** Called when the state of the subscription changes: live, catching up or stale. */
  onState(state: FeedState): void;
  /** Called if the gateway refuses the subscription. The subscription has then ended. */
  fail(failure: GatewayError): void;
}

/** Milliseconds for which a fetched token is used. After this time, a new token is fetched. */
const TOKEN_REUSE_MS = 60_000;
/** WebSocket close code with which the gateway ends a connection whose token has expired. */
const TOKEN_EXPIRED_CLOSE_CODE = 4403;
const ENDPOINT = new URL('/graphql', location.href);

/**
 * Client of the gateway for one signed-in user. Queries and mutations use HTTP. All subscriptions share one
 * WebSocket, and resume after a lost connection.
 */
export class GatewayClient {
  readonly #signIn: SignInMethod;
  readonly #onRefused: (why: GatewayError) => void;
  readonly #client: Client;
  readonly #socket;
  readonly #states = new Map<object, (state: FeedState) => void>();
  #token: { value: Promise<string | null>; until: number } | null = null;

  /**
   * `onRefused` is called when the gateway rejects a token that the user pasted, so that the user must sign
   * in again.
   */
  constructor(signIn: SignInMethod, onRefused: (why: GatewayError) => void) {
    this.#signIn = signIn;
    this.#onRefused = onRefused;
    this.#client = new Client({
      url: ENDPOINT.href,
      preferGetMethod: false,
      exchanges: [fetchExchange],
      fetch: async (input, init) => {
        const headers = new Headers(init?.headers);
        for (const [name, value] of Object.entries(await this.#credentials())) headers.set(name, value);
        return fetch(input, { ...init, headers });
      },
    });
    this.#socket = resuming(
      createClient,
      {
        url: ENDPOINT.href.replace(/^http/, 'ws'),
        connectionParams: () => this.#credentials(),
        on: { closed: (event) => this.#onClosed(event as CloseEvent) },
      },
      { onState: (state, payload) => this.#states.get(payload)?.(state) },
    );
  }

  /** @throws `GatewayError` */
  async query<Result, Variables extends object>(
    operation: TypedDocumentNode<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    return this.#unwrap(await this.#client.query(operation, variables).toPromise());
  }

  /**
   * Sends a mutation.
   * @throws `GatewayError`. The call may then be repeated with the same idempotency key; the action is
   * performed only once
   */
  async mutate<Result, Variables extends object>(
    operation: TypedDocumentNode<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    return this.#unwrap(await this.#client.mutation(operation, variables).toPromise());
  }

  /**
   * Fetches a file that the gateway writes while it sends it. `onChunk` is called with each part that has arrived.
   * @throws `GatewayError`, also if the connection ends before the file does, or `signal` is aborted
   */
  async fetchFile(
    path: string,
    asked: object,
    { signal, onChunk }: { signal: AbortSignal; onChunk: (chunk: Uint8Array) => void },
  ): Promise<Blob> {
    try {
      const response = await fetch(new URL(path, ENDPOINT), {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(await this.#credentials()) },
        body: JSON.stringify(asked),
        signal,
      });
      if (!response.ok || !response.body)
        throw this.#noteRefusal(toGatewayError((await response.json()).errors));
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      const reader = response.body.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        chunks.push(part.value);
        onChunk(part.value);
      }
      return new Blob(chunks, { type: response.headers.get('content-type') ?? '' });
    } catch (failure) {
      throw failure instanceof GatewayError ? failure : toGatewayError(failure);
    }
  }

  /**
   * Subscribes to an operation, starting at the cursor `variables.after`, and resumes after lost connections.
   * Returns a function that unsubscribes.
   */
  watch<Result, Variables extends object>(
    operation: TypedDocumentNode<Result, Variables>,
    variables: Variables,
    { next, onState, fail }: Watcher<Result>,
  ): () => void {
    const payload = {
      query: getOperationText(operation),
      variables: { ...variables } as Record<string, unknown>,
    };
    this.#states.set(payload, onState);
    const stop = this.#socket.subscribe<Result>(payload, {
      // A result without data is a refusal, because the `resuming` helper has already retried results that
      // failed in the gateway.
      next: ({ data, errors }) => (data ? next(data) : fail(toGatewayError(errors))),
      error: (why) => fail(toGatewayError(why)),
      complete: () => {},
    });
    return () => {
      this.#states.delete(payload);
      stop();
    };
  }

  /** Closes the WebSocket, which ends all subscriptions. */
  close(): void {
    void this.#socket.dispose();
  }

  #unwrap<Result>({ data, error }: Pick<OperationResult<Result>, 'data' | 'error'>): Result {
    if (!error) return data as Result;
    throw this.#noteRefusal(
      toGatewayError(error.networkError && !error.response ? error.networkError : error.graphQLErrors),
    );
  }

  /** Forgets a token that the gateway rejected. Returns the failure. */
  #noteRefusal(failure: GatewayError): GatewayError {
    if (failure.code === 'UNAUTHENTICATED') {
      this.#token = null;
      if (this.#signIn.kind === 'TOKEN') this.#onRefused(failure);
    }
    return failure;
  }

  /**
   * Forgets the token when the socket closes, so that the reconnect fetches a new token. A pasted token
   * cannot be fetched again: if it has expired, a query makes the gateway reject it, which signs the user
   * out.
   */
  #onClosed({ code }: CloseEvent): void {
    this.#token = null;
    if (code === TOKEN_EXPIRED_CLOSE_CODE) this.query(VkycViewer, {}).catch(() => {});
  }

  async #credentials(): Promise<Record<string, string>> {
    if (!this.#token || this.#token.until < Date.now())
      this.#token = { value: obtainAccessToken(this.#signIn), until: Date.now() + TOKEN_REUSE_MS };
    try {
      const token = await this.#token.value;
      return token ? { authorization: `Bearer ${token}` } : {};
    } catch (error) {
      this.#token = null;
      throw error;
    }
  }
}

/**
 * Converts an error of the GraphQL clients to a GatewayError. The error is either a list of GraphQL errors or
 * a network error.
 */
function toGatewayError(why: unknown): GatewayError {
  const [first] = Array.isArray(why) ? why : [];
  if (first?.message) return new GatewayError(first.message, String(first.extensions?.code ?? 'UNKNOWN'));
  return new GatewayError(texts.frame.unreachable, null);
}
