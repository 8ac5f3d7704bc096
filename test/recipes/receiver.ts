/**
 * Recipe for a receiver of merchant webhooks, in Node without a framework: verifies each webhook, answers at once, and
 * handles each event once.
 */
import { createServer, type Server } from 'node:http';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

const MAX_BYTES = 65_536;

export interface Event {
  readonly type: string;
  readonly timestamp: string;
  readonly data: { readonly session: { readonly verificationId: string }; readonly sequence: number };
}

/**
 * Creates the receiver. `store` writes the event to your database under its id, and ignores an id that it has: the same
 * event may come more than once. Return from it as soon as the event is stored, and act on it afterwards. If `store`
 * throws, the gateway sends the event again.
 */
export function createReceiver(secret: string, store: (id: string, event: Event) => Promise<void>): Server {
  const webhook = new Webhook(secret);
  return createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of request) {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) return response.writeHead(413).end();
        chunks.push(chunk);
      }
      const headers = request.headers as Record<string, string>;
      // Verifies the bytes as they came: JSON that was parsed and printed again has another signature.
      const event = webhook.verify(Buffer.concat(chunks), headers) as Event;
      if (event.data.session) await store(String(headers['webhook-id']), event);
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(error instanceof WebhookVerificationError ? 401 : 500).end();
    }
  });
}
