import type { FastifyRequest } from 'fastify';
import { createApiError } from './errors.ts';

/**
 * Client id and client secrets that the sandbox accepts. The first secret signs webhooks until
 * `/_sandbox/rotate-secret` is called.
 */
export const SANDBOX_CREDENTIALS = {
  clientId: 'sandbox',
  clientSecrets: ['sandbox', 'sandbox-next'],
} as const;

/** Headers that an API call needs, as a text that is printed for people who try the sandbox. */
export const SANDBOX_CREDENTIALS_TEXT = `x-client-id: ${SANDBOX_CREDENTIALS.clientId}, x-client-secret: ${SANDBOX_CREDENTIALS.clientSecrets[0]}`;

/**
 * Secret that signs webhooks. `rotate` switches to the other client secret, to test how clients take the
 * rotation of a secret.
 */
export class WebhookSigningSecret {
  #turn = 0;

  get current(): string {
    const { clientSecrets } = SANDBOX_CREDENTIALS;
    return clientSecrets[this.#turn % clientSecrets.length] as string;
  }

  rotate(): void {
    this.#turn += 1;
  }
}

/**
 * Checks the credentials of a call.
 * @throws ApiError like the provider's error for missing or wrong credentials
 */
export function checkCredentials({ headers }: FastifyRequest): void {
  const id = headers['x-client-id'];
  const secret = headers['x-client-secret'];
  if (!id) throw createApiError('clientIdMissing');
  if (!secret) throw createApiError('clientSecretMissing');
  const known = SANDBOX_CREDENTIALS.clientSecrets.some((each) => each === secret);
  if (id !== SANDBOX_CREDENTIALS.clientId || !known) throw createApiError('authenticationFailed');
}
