import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { verify } from '../provider/signature.ts';
import type { WebhookReceiver } from '../services/webhooks/webhook-receiver.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { FailedAttemptLimit } from './failed-attempt-limit.ts';

const WEBHOOK_PATH = '/webhooks/cashfree';
/**
 * Documented webhooks have less than 1 kB. JSON parsing sets the limit: 1 MiB of short values blocked the
 * event loop for 470 ms.
 */
const MAX_WEBHOOK_BYTES = 256 * 1024;
/**
 * Size that no webhook of the provider comes near. Bytes beyond it take room from a shared budget while they
 * arrive.
 */
const SMALL_BODY_BYTES = 64 * 1024;
/**
 * Shared budget for the bytes of unusually large webhooks that are not verified yet. It limits the memory
 * that anyone on the network can take.
 */
const MAX_LARGE_BODY_BYTES = 8 * MAX_WEBHOOK_BYTES;
/**
 * Time that a body has to arrive. It is shorter than the server's own timeout, so that the sender is told
 * why.
 */
const BODY_TIMEOUT_MS = 8_000;
/** Base64 of the 32 bytes of an HMAC-SHA256. */
const SIGNATURE = /^[A-Za-z0-9+/]{43}=$/;
/** Seconds or milliseconds since 1970. */
const TIMESTAMP = /^\d{10}(\d{3})?$/;
/**
 * Age beyond which a webhook is refused as a replay. The provider retries for hours, and may keep the
 * timestamp of the first try.
 */
export const MAX_WEBHOOK_AGE_MS = 30 * 86_400_000;
/** Maximum that the provider's clock may be ahead. */
const MAX_WEBHOOK_AHEAD_MS = 86_400_000;
const STALE =
  'x-webhook-timestamp is more than 30 days in the past or a day in the future. Check the clocks; a webhook that was lost is made up for by polling.';

/**
 * Reasons for which a body was not read to its end, and the answers to its sender, if it is still connected.
 */
const BODY_READ_ERRORS = {
  TOO_LARGE: { status: 413, message: 'A webhook has at most 256 kB.' },
  TOO_MANY: { status: 503, message: 'Too much is arriving at once: send it again.' },
  TOO_SLOW: { status: 408, message: 'A webhook arrives within 8 s: send it again.' },
  BROKEN_OFF: { status: 400, message: 'The body broke off: send it again.' },
} as const;

const CODES: Record<number, string> = {
  401: 'UNAUTHENTICATED',
  429: 'RATE_LIMITED',
  503: 'SERVICE_UNAVAILABLE',
};
/**
 * `Retry-After` of webhooks that could not be stored: a full disk or an unavailable database usually
 * recovers.
 */
const RETRY_AFTER_SECONDS = 5;
const STORE_FAILED_MESSAGE = 'It could not be stored: send it again.';
const TOO_MANY = 'Too many webhooks came from your address without a signature that fits.';

interface Dependencies {
  readonly receiver: WebhookReceiver;
  /** All secrets that may have signed: the active one, and those being retired (rotation). */
  readonly secrets: readonly string[];
  readonly failures: FailedAttemptLimit;
  readonly metrics: Metrics;
}

/**
 * Receives the provider's webhooks at `/webhooks/cashfree`. A webhook with a valid signature over its raw
 * bytes is stored and answered with 200, whatever it contains; any other one is refused, counted and not
 * stored. If it cannot be stored now, the answer is 503, and the provider sends it again. GET and HEAD are
 * answered with an empty 200.
 */
export async function serveWebhooks(
  app: FastifyInstance,
  { receiver, secrets, failures, metrics }: Dependencies,
): Promise<void> {
  let unusualBytes = 0;

  function refuse(reply: FastifyReply, status: number, outcome: string, message: string) {
    metrics.webhooks.inc({ outcome });
    const code = CODES[status] ?? 'BAD_REQUEST';
    // Closes the connection, because the rest of the body is not worth reading.
    return reply
      .header('connection', 'close')
      .status(status)
      .send({ errors: [{ message, extensions: { code } }] });
  }

  /**
   * Refuses a webhook without a valid signature. Only so many a minute of an address are told why; further
   * ones get 429. Valid signatures are accepted all the same.
   */
  async function refuseSigned(
    request: FastifyRequest,
    reply: FastifyReply,
    outcome: string,
    message: string,
  ) {
    const waitSeconds = await failures.count(request.raw);
    if (waitSeconds === null) return refuse(reply, 401, outcome, message);
    return refuse(reply.header('retry-after', waitSeconds), 429, outcome, TOO_MANY);
  }

  /** Reads the raw bytes. Returns why, if they were not read to their end. */
  async function read(stream: Readable): Promise<Buffer | keyof typeof BODY_READ_ERRORS> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let unusual = 0;
    let late = false;
    const deadline = setTimeout(() => {
      late = true;
      stream.destroy();
    }, BODY_TIMEOUT_MS);
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MAX_WEBHOOK_BYTES) return 'TOO_LARGE';
        if (bytes > SMALL_BODY_BYTES) {
          if (unusualBytes + chunk.length > MAX_LARGE_BODY_BYTES) return 'TOO_MANY';
          unusual += chunk.length;
          unusualBytes += chunk.length;
        }
        chunks.push(chunk);
      }
      return late ? 'TOO_SLOW' : Buffer.concat(chunks);
    } catch {
      return late ? 'TOO_SLOW' : 'BROKEN_OFF';
    } finally {
      clearTimeout(deadline);
      unusualBytes -= unusual;
    }
  }

  await app.register(async (scope) => {
    // The signature covers the raw bytes, so no parser may run first. Nothing is read before the headers are
    // at least well-formed.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    // Ignores the content type: the signature does not cover it, and Fastify refuses types that it has no
    // parser for.
    scope.addHook('onRequest', async ({ raw }) => {
      delete raw.headers['content-type'];
    });

    // The provider's dashboard, and people, try an address with a GET or HEAD before they enter it.
    scope.get(WEBHOOK_PATH, async (_request, reply) => reply.header('cache-control', 'no-store').send());

    scope.post(WEBHOOK_PATH, async (request, reply) => {
      const headers = readSignature(request);
      if (typeof headers === 'string') return refuseSigned(request, reply, 'unsigned', headers);
      // A cheap refusal: neither was the body read nor an HMAC computed.
      if (!isFresh(headers.timestamp)) return refuseSigned(request, reply, 'stale', STALE);
      const body = request.body ? await read(request.body as Readable) : Buffer.alloc(0);
      if (typeof body === 'string') {
        const { status, message } = BODY_READ_ERRORS[body];
        if (status === 503) reply.header('retry-after', '1');
        return refuse(reply, status, body.toLowerCase().replace('_', ' '), message);
      }
      if (isAmbiguous(body) || !verify(secrets, headers.timestamp, body, headers.signature)) {
        const message = 'The signature does not fit these bytes and any active secret.';
        return refuseSigned(request, reply, 'badly signed', message);
      }
      try {
        await receiver.receive(body);
      } catch (error) {
        request.log.error(
          { err: error },
          'a webhook could not be stored; its sender is told to send it again',
        );
        return refuse(
          reply.header('retry-after', RETRY_AFTER_SECONDS),
          503,
          'not stored',
          STORE_FAILED_MESSAGE,
        );
      }
      metrics.webhooks.inc({ outcome: 'kept' });
      return { received: true };
    });
  });
}

/** Returns the headers of a signature, or a message that says which of them is missing or malformed. */
function readSignature({ headers }: FastifyRequest): { timestamp: string; signature: string } | string {
  const timestamp = headers['x-webhook-timestamp'];
  const signature = headers['x-webhook-signature'];
  const problems = [
    describeProblem(
      'x-webhook-timestamp',
      timestamp,
      TIMESTAMP,
      '10 or 13 digits, seconds or milliseconds since 1970',
    ),
    describeProblem(
      'x-webhook-signature',
      signature,
      SIGNATURE,
      'the base64 of an HMAC-SHA256, 44 characters',
    ),
  ].filter((problem) => problem !== null);
  if (problems.length === 0) return { timestamp: timestamp as string, signature: signature as string };
  return `This webhook is not signed: ${problems.join(', and ')}. The provider sends both headers with every webhook.`;
}

/**
 * Whether the signature could also belong to a longer timestamp and a shorter body (boundary ambiguity). The
 * provider signs timestamp + body without a separator; if no body begins with a digit, the digits before the
 * body are the timestamp.
 */
const isAmbiguous = (body: Buffer): boolean => {
  const first = body[0] ?? 0;
  return first >= 0x30 && first <= 0x39;
};

function isFresh(timestamp: string): boolean {
  const ageMs = Date.now() - Number(timestamp.padEnd(13, '0'));
  return ageMs <= MAX_WEBHOOK_AGE_MS && ageMs >= -MAX_WEBHOOK_AHEAD_MS;
}

function describeProblem(
  name: string,
  value: string | string[] | undefined,
  form: RegExp,
  expected: string,
): string | null {
  if (value === undefined) return `${name} is missing`;
  return typeof value === 'string' && form.test(value) ? null : `${name} must be ${expected}`;
}
