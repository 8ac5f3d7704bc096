import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  retry,
} from 'cockatiel';
import { ProviderFailure } from '../domain/errors.ts';
import { MUTATION_RESERVE_FRACTION } from '../domain/polling.ts';
import type { ProviderCallBudget, ProviderCallPurpose } from '../domain/ports.ts';
import { toProviderFailure } from './failures.ts';
import { createCallSignatureHeader } from './signature.ts';

const API_VERSION = '2024-12-01';
/**
 * Largest response that is read. Documented responses have less than 1 kB, but a response may contain a photo
 * as text. Webhooks have the same limit.
 */
const MAX_ANSWER_BYTES = 256 * 1024;
/** Number of retries after the first attempt, for calls that are safe to repeat. */
const MAX_RETRIES = 2;
const FAILURES_UNTIL_OPEN = 5;
/** Seconds for which calls are paused after a 429 response that does not say how long. */
const SECONDS_AFTER_LIMIT = 5;
/**
 * Limits of the pause that a response may ask for, in seconds. A shorter or longer pause is clamped to these
 * limits.
 */
const MIN_WAIT_SECONDS = 1;
const MAX_WAIT_SECONDS = 600;

export interface TransportOptions {
  /** Base URL of the API, for example https://api.cashfree.com/verification */
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** PEM of the public key, for accounts that use one as second factor instead of an IP allowlist. */
  readonly publicKey: string | null;
  readonly budget: ProviderCallBudget;
  /** Aborted when the gateway stops, which cancels polls that wait for a response. */
  readonly stopping: AbortSignal;
  /** Timeout of one attempt, up to the last byte of the response, in milliseconds. */
  readonly timeoutMs?: number;
  /** How long the circuit breaker stays open, in milliseconds. */
  readonly breakMs?: number;
  /** Called for an error code that the provider does not document. */
  readonly onUnmappedError: (status: number, code: string) => void;
  /**
   * Wraps each attempt to measure its duration, without the wait for the call budget. `endpoint` is for
   * example `GET /vkyc`, without the query.
   */
  readonly watch: <T>(
    endpoint: string,
    purpose: ProviderCallPurpose,
    attempt: () => Promise<T>,
  ) => Promise<T>;
  /** Called when the circuit breaker opens and closes. */
  readonly onBreak: (open: boolean) => void;
}

export interface ProviderCall<T> {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
  /** Parses the body of a 2xx response, or throws a `ProviderFailure`. */
  readonly read: (text: string) => T;
  /**
   * Whether the call is safe to repeat. If false, only one attempt is made, and the caller must find out
   * whether that attempt took effect.
   */
  readonly repeatable: boolean;
}

/** @throws ProviderFailure */
export type Transport = <T>(purpose: ProviderCallPurpose, call: ProviderCall<T>) => Promise<T>;

/**
 * Creates the transport, which makes HTTP calls within the call budget, and with bounded time and memory.
 * Safe calls are retried with jitter; while the circuit breaker is open, no call is made. The transport does
 * not wait for a `Retry-After`, but pauses the budget for that time, and passes the time to the caller in the
 * failure.
 */
export function createTransport(options: TransportOptions): Transport {
  const { budget, timeoutMs = 10_000, breakMs = 10_000 } = options;
  const breaker = circuitBreaker(handleWhen(isOutage), {
    halfOpenAfter: breakMs,
    breaker: new ConsecutiveBreaker(FAILURES_UNTIL_OPEN),
  });
  // Time until which the breaker is open. This time is checked before a call is taken from the budget, so
  // that the budget is not spent while the breaker is open.
  let restsUntil = 0;
  breaker.onBreak(() => {
    restsUntil = performance.now() + breakMs;
    options.onBreak(true);
  });
  breaker.onReset(() => options.onBreak(false));
  const repeated = retry(handleWhen(isOutage), {
    maxAttempts: MAX_RETRIES,
    backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 1_500 }),
  });

  /**
   * Makes one attempt. Waits for the call budget outside of the circuit breaker, because a half-open breaker
   * lets one trial call through and blocks all others until that call ends.
   */
  async function attempt<T>(purpose: ProviderCallPurpose, call: ProviderCall<T>): Promise<T> {
    if (performance.now() < restsUntil) throw resting();
    await budget.take(purpose);
    try {
      const endpoint = `${call.method} ${call.path.split('?')[0]}`;
      return await breaker.execute(() => options.watch(endpoint, purpose, () => converse(purpose, call)));
    } catch (error) {
      throw error instanceof BrokenCircuitError ? resting() : error;
    }
  }

  const resting = () =>
    new ProviderFailure(
      'UNAVAILABLE',
      'The provider keeps failing; the circuit breaker has paused calls to it.',
      {
        retryAfterSeconds: Math.ceil(breakMs / 1000),
        sent: false,
      },
    );

  async function converse<T>(
    purpose: ProviderCallPurpose,
    { method, path, body, read }: ProviderCall<T>,
  ): Promise<T> {
    const { response, text } = await exchange(method, path, body, purpose);
    const { status, headers } = response;
    if (purpose === 'POLL') await heed(headers);
    if (response.ok) return read(text);
    const retryAfter =
      status === 429
        ? (parseRetryAfter(headers) ??
          boundWait(parseSeconds(headers.get('x-ratelimit-reset'))) ??
          SECONDS_AFTER_LIMIT)
        : parseRetryAfter(headers);
    if (status === 429 && retryAfter) await budget.pause(retryAfter, 'EVERYONE');
    throw toProviderFailure(status, text, retryAfter, options.onUnmappedError);
  }

  async function exchange(method: string, path: string, body: unknown, purpose: ProviderCallPurpose) {
    const timeout = AbortSignal.timeout(timeoutMs);
    const mayBeStopped = purpose === 'POLL';
    try {
      const response = await fetch(`${options.baseUrl}${path}`, {
        method,
        headers: headers(),
        body: body === undefined ? null : JSON.stringify(body),
        signal: mayBeStopped ? AbortSignal.any([timeout, options.stopping]) : timeout,
        redirect: 'error',
      });
      return { response, text: await readBounded(response) };
    } catch (error) {
      if (error instanceof ProviderFailure || (mayBeStopped && options.stopping.aborted)) throw error;
      const late = error instanceof Error && error.name === 'TimeoutError';
      const why = late ? `did not answer within ${timeoutMs / 1000} s` : 'could not be reached';
      throw new ProviderFailure('UNAVAILABLE', `The provider ${why}.`);
    }
  }

  const headers = () => ({
    'content-type': 'application/json',
    'x-client-id': options.clientId,
    'x-client-secret': options.clientSecret,
    'x-api-version': API_VERSION,
    ...(options.publicKey
      ? { 'x-cf-signature': createCallSignatureHeader(options.publicKey, options.clientId, new Date()) }
      : {}),
  });

  /**
   * Pauses polls if the rate limit headers say that few calls are left. The headers count in addition to the
   * gateway's own budget, because other systems may use the same provider account.
   */
  async function heed(headers: Headers): Promise<void> {
    const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) =>
      parseSeconds(headers.get(`x-ratelimit-${name}`)),
    );
    if (limit === undefined || remaining === undefined || reset === undefined) return;
    if (remaining <= limit * MUTATION_RESERVE_FRACTION) await budget.pause(boundWait(reset) ?? 0, 'POLLS');
  }

  return (purpose, call) =>
    call.repeatable ? repeated.execute(() => attempt(purpose, call)) : attempt(purpose, call);
}

/**
 * Returns whether a failure is an outage of the provider. Outages are retried and open the circuit breaker;
 * refusals, and failures that say when to retry, do neither.
 */
const isOutage = (error: Error): boolean =>
  error instanceof ProviderFailure &&
  error.kind === 'UNAVAILABLE' &&
  error.details.retryAfterSeconds === undefined;

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES)
      throw new ProviderFailure('UNAVAILABLE', 'The provider sent an answer of more than 256 kB.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Returns the seconds to wait that a `Retry-After` header names, either as a number of seconds or as a date.
 */
function parseRetryAfter(headers: Headers): number | undefined {
  const given = headers.get('retry-after');
  if (given === null) return undefined;
  return boundWait(parseSeconds(given) ?? (Date.parse(given) - Date.now()) / 1000);
}

/**
 * Clamps seconds to the range from MIN_WAIT_SECONDS to MAX_WAIT_SECONDS. A `Retry-After` date in the past
 * thus gives the minimum; it can be in the past because clocks differ.
 */
const boundWait = (seconds: number | undefined): number | undefined =>
  seconds === undefined || Number.isNaN(seconds)
    ? undefined
    : Math.min(Math.max(Math.ceil(seconds), MIN_WAIT_SECONDS), MAX_WAIT_SECONDS);

const parseSeconds = (value: string | null): number | undefined =>
  value !== null && /^\d{1,9}$/.test(value.trim()) ? Number(value) : undefined;
