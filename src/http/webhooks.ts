import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../metrics.ts';
import { verify } from '../provider/signature.ts';
import type { Inbox } from '../services/receive-webhook.ts';

const LARGEST_WEBHOOK_BYTES = 1024 * 1024;
/** Anybody can send bytes: so much of what is not verified yet is held at once, and no more. */
const MOST_UNVERIFIED_BYTES = 16 * LARGEST_WEBHOOK_BYTES;
/** base64 of the 32 bytes of an HMAC with SHA-256. */
const SIGNATURE = /^[A-Za-z0-9+/]{43}=$/;
const TIMESTAMP = /^[\x21-\x7e]{1,64}$/;

interface Parts {
  readonly inbox: Inbox;
  /** All that may have signed: the active secret and those being retired. */
  readonly secrets: readonly string[];
  readonly metrics: Metrics;
}

/**
 * Takes the provider's webhooks at `/webhooks/cashfree`. A good signature over the raw bytes is kept and answered
 * with 200, whatever the bytes say; anything else is refused, counted and not stored.
 */
export async function serveWebhooks(app: FastifyInstance, { inbox, secrets, metrics }: Parts): Promise<void> {
  let unverifiedBytes = 0;

  function refuse(reply: FastifyReply, status: number, outcome: string, message: string) {
    metrics.webhooks.inc({ outcome });
    const code = status === 401 ? 'UNAUTHENTICATED' : status === 503 ? 'SERVICE_UNAVAILABLE' : 'BAD_REQUEST';
    // What is still on its way is not worth reading.
    return reply
      .header('connection', 'close')
      .status(status)
      .send({ errors: [{ message, extensions: { code } }] });
  }

  /** The raw bytes; null once they are more than any webhook, or more than is held of all senders. */
  async function read(stream: AsyncIterable<Buffer>): Promise<Buffer | 'TOO_LARGE' | 'TOO_MANY'> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of stream) {
        if (bytes + chunk.length > LARGEST_WEBHOOK_BYTES) return 'TOO_LARGE';
        if (unverifiedBytes + chunk.length > MOST_UNVERIFIED_BYTES) return 'TOO_MANY';
        bytes += chunk.length;
        unverifiedBytes += chunk.length;
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    } finally {
      unverifiedBytes -= bytes;
    }
  }

  await app.register(async (scope) => {
    // The signature is over the bytes as they came: nothing may parse them first, and nothing reads them before
    // the headers are at least of the right form.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

    scope.post('/webhooks/cashfree', async (request, reply) => {
      const headers = signatureOf(request);
      if (!headers) {
        const message = 'x-webhook-timestamp and x-webhook-signature are needed, as the provider sends them.';
        return refuse(reply, 401, 'unsigned', message);
      }
      const body = request.body ? await read(request.body as AsyncIterable<Buffer>) : Buffer.alloc(0);
      if (body === 'TOO_LARGE') return refuse(reply, 413, 'too large', 'A webhook has at most 1 MB.');
      if (body === 'TOO_MANY') {
        reply.header('retry-after', '1');
        return refuse(reply, 503, 'too many', 'Too much is arriving at once: send it again.');
      }
      if (!verify(secrets, headers.timestamp, body, headers.signature)) {
        const message = 'The signature does not fit these bytes and any active secret.';
        return refuse(reply, 401, 'badly signed', message);
      }
      await inbox.receive(body);
      metrics.webhooks.inc({ outcome: 'kept' });
      return { received: true };
    });
  });
}

function signatureOf({ headers }: FastifyRequest): { timestamp: string; signature: string } | null {
  const timestamp = headers['x-webhook-timestamp'];
  const signature = headers['x-webhook-signature'];
  const wellFormed =
    typeof timestamp === 'string' &&
    typeof signature === 'string' &&
    TIMESTAMP.test(timestamp) &&
    SIGNATURE.test(signature);
  return wellFormed ? { timestamp, signature } : null;
}
