import { Client, fetchExchange, type OperationResult, type TypedDocumentNode } from '@urql/core';
import { createClient } from 'graphql-ws';
import { type FeedState, resuming } from 'vkyc-gateway/client';
import { VkycViewer } from '../operations.ts';
import { getDocumentText } from './document.ts';
import { fetchToken, type SignIn } from './sign-in.ts';

/** Why there is no answer, in words that say what to do. */
export class GatewayError extends Error {
  constructor(
    message: string,
    /** The gateway's code; null where it could not be reached. */
    readonly code: string | null,
  ) {
    super(message);
  }

  /** Whether the same request may succeed later. */
  get isTransient(): boolean {
    return this.code === null || TRANSIENT_CODES.has(this.code);
  }
}

/** Codes of faults that are the gateway's own. */
const TRANSIENT_CODES = new Set(['INTERNAL_SERVER_ERROR', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'TIMEOUT']);

interface Watcher<Result> {
  /** A frame of the subscription. */
  next(frame: Result): void;
  /** Whether what was shown is still true. */
  onState(state: FeedState): void;
  /** The subscription is refused, and over. */
  fail(failure: GatewayError): void;
}

const TOKEN_REUSE_MS = 60_000;
/** The gateway closes with it at a token's end. */
const TOKEN_EXPIRED_CLOSE_CODE = 4403;
const ENDPOINT = new URL('/graphql', location.href);

/** The gateway, as one signed-in person: queries and mutations by HTTP, subscriptions over one socket that resumes. */
export class Gateway {
  readonly #signIn: SignIn;
  readonly #onRefused: (why: GatewayError) => void;
  readonly #client: Client;
  readonly #socket;
  readonly #states = new Map<object, (state: FeedState) => void>();
  #token: { value: Promise<string | null>; until: number } | null = null;

  /** `onRefused`: the token that was brought is good no more. */
  constructor(signIn: SignIn, onRefused: (why: GatewayError) => void) {
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
        on: { closed: (event) => this.#lost(event as CloseEvent) },
      },
      { onState: (state, payload) => this.#states.get(payload)?.(state) },
    );
  }

  /** Throws GatewayError. */
  async query<Result, Variables extends object>(
    operation: TypedDocumentNode<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    return this.#answerOf(await this.#client.query(operation, variables).toPromise());
  }

  /** Throws GatewayError, after which the same call may be repeated: what it asks for is done once. */
  async mutate<Result, Variables extends object>(
    operation: TypedDocumentNode<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    return this.#answerOf(await this.#client.mutation(operation, variables).toPromise());
  }

  /** Watches from `variables.after` on, through every loss of the connection. Returns what ends it. */
  watch<Result, Variables extends object>(
    operation: TypedDocumentNode<Result, Variables>,
    variables: Variables,
    { next, onState, fail }: Watcher<Result>,
  ): () => void {
    const payload = {
      query: getDocumentText(operation),
      variables: { ...variables } as Record<string, unknown>,
    };
    this.#states.set(payload, onState);
    const stop = this.#socket.subscribe<Result>(payload, {
      // The helper keeps back what the gateway could not complete: errors without data are a refusal.
      next: ({ data, errors }) => (data ? next(data) : fail(toGatewayError(errors))),
      error: (why) => fail(toGatewayError(why)),
      complete: () => {},
    });
    return () => {
      this.#states.delete(payload);
      stop();
    };
  }

  /** Ends whatever it is watching. */
  close(): void {
    void this.#socket.dispose();
  }

  #answerOf<Result>({ data, error }: Pick<OperationResult<Result>, 'data' | 'error'>): Result {
    if (!error) return data as Result;
    const failure = toGatewayError(
      error.networkError && !error.response ? error.networkError : error.graphQLErrors,
    );
    if (failure.code === 'UNAUTHENTICATED') {
      this.#token = null;
      if (this.#signIn.kind === 'TOKEN') this.#onRefused(failure);
    }
    throw failure;
  }

  /** Comes back with a new token. Where that has to be brought by somebody, the next query finds it out. */
  #lost({ code }: CloseEvent): void {
    this.#token = null;
    if (code === TOKEN_EXPIRED_CLOSE_CODE) this.query(VkycViewer, {}).catch(() => {});
  }

  async #credentials(): Promise<Record<string, string>> {
    if (!this.#token || this.#token.until < Date.now())
      this.#token = { value: fetchToken(this.#signIn), until: Date.now() + TOKEN_REUSE_MS };
    try {
      const token = await this.#token.value;
      return token ? { authorization: `Bearer ${token}` } : {};
    } catch (error) {
      this.#token = null;
      throw error;
    }
  }
}

const UNREACHABLE = 'The gateway cannot be reached. Look at your connection, and try again.';

/** What a client of ours may fail with: GraphQL errors, or an error of the network. */
function toGatewayError(why: unknown): GatewayError {
  const [first] = Array.isArray(why) ? why : [];
  if (first?.message) return new GatewayError(first.message, String(first.extensions?.code ?? 'UNKNOWN'));
  return new GatewayError(UNREACHABLE, null);
}
