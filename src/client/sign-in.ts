import { MAX_REFUSED_RETRIES, SignInEndedError } from './subscription.ts';

/** Close code with which the gateway closes a WebSocket whose token has expired, or is refused. */
const FORBIDDEN = 4403;

/** Notices that the token of a WebSocket is refused again and again, and does not get newer. */
export interface TokenWatch {
  /**
   * Returns the application's connection parameters.
   * @throws SignInEndedError if the server has refused exactly these parameters too often
   */
  connectionParams(): Promise<unknown>;
  /** Takes note that the server accepted the token: a later refusal is the first one again. */
  noteAccepted(): void;
  /** Takes note of a WebSocket that was closed. */
  noteClose(closed: { readonly code?: number } | undefined): void;
}

/** Creates a watch over `connectionParams` of graphql-ws: an object, or a function that returns one. */
export function createTokenWatch(given: unknown): TokenWatch {
  let sent = '';
  let refusals = 0;
  return {
    async connectionParams() {
      const params: unknown = typeof given === 'function' ? await given() : given;
      const text = JSON.stringify(params) ?? '';
      if (text !== sent) refusals = 0;
      if (refusals > MAX_REFUSED_RETRIES) throw new SignInEndedError('the token is no longer accepted');
      sent = text;
      return params;
    },
    noteAccepted() {
      refusals = 0;
    },
    noteClose(closed) {
      if (closed?.code === FORBIDDEN) refusals += 1;
    },
  };
}
