import type { FastifyInstance } from 'fastify';
import { verify } from '../provider/signature.ts';
import type { Inbox } from '../services/receive-webhook.ts';

const LARGEST_WEBHOOK_BYTES = 1024 * 1024;

interface Parts {
  readonly inbox: Inbox;
  /** All that may have signed: the active secret and those being retired. */
  readonly secrets: readonly string[];
}

/**
 * Takes the provider's webhooks at `/webhooks/cashfree`. A good signature over the raw bytes is kept and answered
 * with 200, whatever the bytes say; anything else is refused and not stored.
 */
export async function serveWebhooks(app: FastifyInstance, { inbox, secrets }: Parts): Promise<void> {
  await app.register(async (scope) => {
    // The signature is over the bytes as they came: nothing may parse them first.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: LARGEST_WEBHOOK_BYTES },
      (_request, body, done) => done(null, body),
    );

    scope.post('/webhooks/cashfree', { bodyLimit: LARGEST_WEBHOOK_BYTES }, async (request, reply) => {
      const timestamp = request.headers['x-webhook-timestamp'];
      const signature = request.headers['x-webhook-signature'];
      if (typeof timestamp !== 'string' || typeof signature !== 'string') {
        return reply.status(401).send(problem('x-webhook-timestamp and x-webhook-signature are needed.'));
      }
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      if (!verify(secrets, timestamp, body, signature)) {
        return reply
          .status(401)
          .send(problem('The signature does not fit these bytes and any active secret.'));
      }
      await inbox.receive(body);
      return { received: true };
    });
  });
}

const problem = (message: string) => ({ errors: [{ message, extensions: { code: 'UNAUTHENTICATED' } }] });
