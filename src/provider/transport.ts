import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  retry,
} from 'cockatiel';
import { ProviderFailure } from '../domain/errors.ts';
import { KEPT_FOR_MUTATIONS } from '../domain/polling.ts';
import type { CallBudget, CallPurpose } from '../domain/ports.ts';
import { failureOf } from './failures.ts';
import { signCall } from './signature.ts';

const API_VERSION = '2024-12-01';
const MOST_ANSWER_BYTES = 1024 * 1024;
/** Beyond the first attempt, where a call may be repeated at all. */
const MOST_REPETITIONS = 2;
const FAILURES_UNTIL_OPEN = 5;
/** Where a 429 does not say how long. */
const SECONDS_AFTER_LIMIT = 5;
/** What an answer may ask for; anything else is a mistake of somebody's. */
const SHORTEST_WAIT_SECONDS = 1;
const LONGEST_WAIT_SECONDS = 600;

export interface TransportOptions {
  /** Such as https://api.cashfree.com/verification */
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** PEM; where the account's second factor is a public key and not a list of addresses. */
  readonly publicKey: string | null;
  readonly budget: CallBudget;
  /** Ends the polls that are on their way. */
  readonly stopping: AbortSignal;
  /** Of one attempt, its answer's last byte included. */
  readonly timeoutMs?: number;
  /** How long nothing is asked after failures in a row. */
  readonly breakMs?: number;
  /** Hears of an error code that no page of the provider names. */
  readonly onUnmappedError: (status: number, code: string) => void;
  /** Each attempt, once it has its turn: the endpoint is such as `GET /vkyc`, without what it was asked. */
  readonly watch: <T>(endpoint: string, purpose: CallPurpose, attempt: () => Promise<T>) => Promise<T>;
  /** Hears when the provider is given a rest, and when it is asked again. */
  readonly onBreak: (open: boolean) => void;
}

export interface Call<T> {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
  /** Makes sense of a 2xx, or throws a `ProviderFailure`. */
  readonly read: (text: string) => T;
  /** Whether a second time does no harm; else one attempt is all, and the caller finds out what came of it. */
  readonly repeatable: boolean;
}

/** Throws a `ProviderFailure`. */
export type Transport = <T>(purpose: CallPurpose, call: Call<T>) => Promise<T>;

/**
 * One call over HTTP: within the budget, in bounded time and memory, repeated with jitter where that is safe, and
 * not made at all while the provider fails again and again. A `Retry-After` is not waited for here: it pauses the
 * budget, and the caller is told.
 */
export function createTransport(options: TransportOptions): Transport {
  const { budget, timeoutMs = 10_000, breakMs = 10_000 } = options;
  const breaker = circuitBreaker(handleWhen(isOutage), {
    halfOpenAfter: breakMs,
    breaker: new ConsecutiveBreaker(FAILURES_UNTIL_OPEN),
  });
  // Known here as well, so that nobody takes a turn for nothing.
  let restsUntil = 0;
  breaker.onBreak(() => {
    restsUntil = performance.now() + breakMs;
    options.onBreak(true);
  });
  breaker.onReset(() => options.onBreak(false));
  const repeated = retry(handleWhen(isOutage), {
    maxAttempts: MOST_REPETITIONS,
    backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 1_500 }),
  });

  /** The turn is waited for outside the breaker: the one call that probes the provider holds up all others. */
  async function attempt<T>(purpose: CallPurpose, call: Call<T>): Promise<T> {
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
    new ProviderFailure('UNAVAILABLE', 'The provider keeps failing and is given a short rest.', {
      retryAfterSeconds: Math.ceil(breakMs / 1000),
      sent: false,
    });

  async function converse<T>(purpose: CallPurpose, { method, path, body, read }: Call<T>): Promise<T> {
    const { response, text } = await exchange(method, path, body, purpose);
    const { status, headers } = response;
    if (purpose === 'POLL') await heed(headers);
    if (response.ok) return read(text);
    const retryAfter =
      status === 429
        ? (retryAfterOf(headers) ??
          waitOf(secondsOf(headers.get('x-ratelimit-reset'))) ??
          SECONDS_AFTER_LIMIT)
        : retryAfterOf(headers);
    if (status === 429 && retryAfter) await budget.pause(retryAfter, 'EVERYONE');
    throw failureOf(status, text, retryAfter, options.onUnmappedError);
  }

  async function exchange(method: string, path: string, body: unknown, purpose: CallPurpose) {
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
      return { response, text: await bounded(response) };
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
      ? { 'x-cf-signature': signCall(options.publicKey, options.clientId, new Date()) }
      : {}),
  });

  /** Others may spend of the same account: what it says is left of polls' own limit counts for more than our book. */
  async function heed(headers: Headers): Promise<void> {
    const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) =>
      secondsOf(headers.get(`x-ratelimit-${name}`)),
    );
    if (limit === undefined || remaining === undefined || reset === undefined) return;
    if (remaining <= limit * KEPT_FOR_MUTATIONS) await budget.pause(waitOf(reset) ?? 0, 'POLLS');
  }

  return (purpose, call) =>
    call.repeatable ? repeated.execute(() => attempt(purpose, call)) : attempt(purpose, call);
}

/** A failure that says something of the provider's health: not a refusal, nor one that says when to come back. */
const isOutage = (error: Error): boolean =>
  error instanceof ProviderFailure &&
  error.kind === 'UNAVAILABLE' &&
  error.details.retryAfterSeconds === undefined;

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MOST_ANSWER_BYTES)
      throw new ProviderFailure('UNAVAILABLE', 'The provider answered with more than 1 MB.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `Retry-After` in either form. */
function retryAfterOf(headers: Headers): number | undefined {
  const given = headers.get('retry-after');
  if (given === null) return undefined;
  return waitOf(secondsOf(given) ?? (Date.parse(given) - Date.now()) / 1000);
}

/** Seconds, within what is believed; clocks differ, and so may be in the past what was meant as soon. */
const waitOf = (seconds: number | undefined): number | undefined =>
  seconds === undefined || Number.isNaN(seconds)
    ? undefined
    : Math.min(Math.max(Math.ceil(seconds), SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS);

const secondsOf = (value: string | null): number | undefined =>
  value !== null && /^\d{1,9}$/.test(value.trim()) ? Number(value) : undefined;
