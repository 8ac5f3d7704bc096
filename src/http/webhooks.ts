import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Provider, WebhookRefusal } from '../domain/ports.ts';
import type { ProviderRegistry } from '../domain/providers.ts';
import type { WebhookRecorder } from '../services/webhooks/webhook-recorder.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { FailedAttemptLimit } from './failed-attempt-limit.ts';

/**
 * Maximum size of a webhook; the documented webhooks are smaller than 1 kB. A larger limit would be harmful,
 * because parsing JSON blocks the event loop: 1 MiB of short values took 470 ms.
 */
const MAX_WEBHOOK_BYTES = 256 * 1024;
/**
 * Size far above that of any webhook of the provider. The bytes of a webhook beyond this size count towards
 * MAX_LARGE_BODY_BYTES while it arrives.
 */
const SMALL_BODY_BYTES = 64 * 1024;
/**
 * Maximum number of bytes beyond SMALL_BODY_BYTES that all webhooks together may take while they arrive. Their
 * signatures are not verified yet, so without this limit anyone on the network could fill the memory with large bodies.
 */
const MAX_LARGE_BODY_BYTES = 8 * MAX_WEBHOOK_BYTES;
/**
 * Timeout for receiving the body of a webhook. This timeout is shorter than the server's own timeout, so that
 * the sender gets an answer that says why.
 */
const BODY_TIMEOUT_MS = 8_000;
/**
 * Answers for bodies that could not be read to their end, by reason. The sender gets the answer if it is
 * still connected.
 */
const BODY_READ_ERRORS = {
  TOO_LARGE: { status: 413, message: 'The webhook is larger than 256 kB.' },
  TOO_MANY: {
    status: 503,
    message: 'Too many webhooks are arriving at once: send this webhook again later.',
  },
  TOO_SLOW: { status: 408, message: 'The webhook did not arrive within 8 s: send it again.' },
  BROKEN_OFF: {
    status: 400,
    message: 'The connection was lost before the whole body arrived: send it again.',
  },
} as const;

/** Label of each refusal in the metrics. */
const REFUSED: Readonly<Record<WebhookRefusal['kind'], string>> = {
  UNSIGNED: 'unsigned',
  STALE: 'stale',
  BADLY_SIGNED: 'badly signed',
};

const CODES: Record<number, string> = {
  401: 'UNAUTHENTICATED',
  404: 'NOT_FOUND',
  429: 'RATE_LIMITED',
  503: 'SERVICE_UNAVAILABLE',
};
/**
 * Seconds after which the provider should send a webhook again that could not be stored: by then, a full disk
 * or an unavailable database has usually recovered.
 */
const RETRY_AFTER_SECONDS = 5;
const STORE_FAILED_MESSAGE = 'The webhook could not be stored: send it again.';
const UNKNOWN_PROVIDER = 'No provider of this name sends webhooks here. Check the end of the path.';
const TOO_MANY = 'Too many webhooks from your address had no valid signature (rate limit): try again later.';

interface Dependencies {
  readonly recorder: WebhookRecorder;
  readonly providers: ProviderRegistry;
  readonly failures: FailedAttemptLimit;
  readonly metrics: Metrics;
}

/** Returns the path at which a provider's webhooks are received. */
export const getWebhookPath = ({ name }: Pick<Provider, 'name'>): string => `/webhooks/${name}`;

/**
 * Receives the webhooks of each provider at `/webhooks/<name>`. A webhook with a valid signature over its raw
 * bytes is stored and answered with 200, whatever it contains; any other is refused and counted. If a webhook
 * cannot be stored now, the answer is 503, so that the provider sends it again. GET and HEAD get an empty
 * 200.
 */
export async function serveProviderWebhooks(
  app: FastifyInstance,
  { recorder, providers, failures, metrics }: Dependencies,
): Promise<void> {
  let unusualBytes = 0;

  function refuse(reply: FastifyReply, status: number, outcome: string, message: string) {
    metrics.webhooks.inc({ outcome });
    return refuseUncounted(reply, status, message);
  }

  function refuseUncounted(reply: FastifyReply, status: number, message: string) {
    const code = CODES[status] ?? 'BAD_REQUEST';
    // Closes the connection. Otherwise the rest of the body would have to be read before the next request.
    return reply
      .header('connection', 'close')
      .status(status)
      .send({ errors: [{ message, extensions: { code } }] });
  }

  /**
   * Refuses a webhook without a valid signature. The answer is 401 with the reason or, once the client
   * address has had too many failures in the last minute, 429. Webhooks with a valid signature from that
   * address are still accepted.
   */
  async function refuseSigned(
    request: FastifyRequest,
    reply: FastifyReply,
    { kind, message }: WebhookRefusal,
  ) {
    const outcome = REFUSED[kind];
    const waitSeconds = await failures.count(request.raw);
    if (waitSeconds === null) return refuse(reply, 401, outcome, message);
    return refuse(reply.header('retry-after', waitSeconds), 429, outcome, TOO_MANY);
  }

  /** Reads the raw bytes of the body. If the body cannot be read, returns the reason. */
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
    // Passes the body on as an unparsed stream: the signature covers the raw bytes, and the body must not be
    // read before the headers have been checked.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    // Removes the content type, because the signature does not cover it, and Fastify would refuse types that
    // it has no parser for.
    scope.addHook('onRequest', async ({ raw }) => {
      delete raw.headers['content-type'];
    });

    for (const provider of providers) {
      // Answers GET and HEAD, because the provider's dashboard sends one of them to test an address that is
      // entered there, and people try the address in a browser.
      scope.get(getWebhookPath(provider), async (_request, reply) =>
        reply.header('cache-control', 'no-store').send(),
      );
      scope.post(getWebhookPath(provider), (request, reply) => receive(provider, request, reply));
    }
    // Answers 404 for unknown provider names; the router prefers the exact paths above. Unknown names share
    // this route, so that callers cannot create new route labels in the metrics.
    scope.route({
      method: ['GET', 'HEAD', 'POST'],
      url: getWebhookPath({ name: ':provider' }),
      handler: async (_request, reply) => refuseUncounted(reply, 404, UNKNOWN_PROVIDER),
    });
  });

  async function receive(provider: Provider, request: FastifyRequest, reply: FastifyReply) {
    const { webhooks } = provider;
    const { headers } = request;
    // Checks the headers first, so that for refused headers no body is read and no HMAC is computed.
    const early = webhooks.checkHeaders(headers);
    if (early !== 'OK') return refuseSigned(request, reply, early);
    const body = request.body ? await read(request.body as Readable) : Buffer.alloc(0);
    if (typeof body === 'string') {
      const { status, message } = BODY_READ_ERRORS[body];
      if (status === 503) reply.header('retry-after', '1');
      return refuse(reply, status, body.toLowerCase().replace('_', ' '), message);
    }
    const verdict = webhooks.verify({ headers, body });
    if (verdict !== 'OK') return refuseSigned(request, reply, verdict);
    try {
      await recorder.record(provider, body);
    } catch (error) {
      request.log.error(
        { err: error },
        'could not store a webhook; answered 503 so that the provider sends it again',
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
  }
}
