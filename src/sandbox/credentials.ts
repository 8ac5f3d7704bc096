import type { FastifyRequest } from 'fastify';
import { apiError } from './errors.ts';

/**
 * Client id and client secrets that the sandbox accepts. The first secret signs webhooks until the secret is rotated.
 */
export const SANDBOX_CREDENTIALS = {
  clientId: 'sandbox',
  clientSecrets: ['sandbox', 'sandbox-next'],
} as const;

/** Headers that a call needs, as text that is printed for people who try the sandbox. */
export const SANDBOX_CREDENTIALS_TEXT = `x-client-id: ${SANDBOX_CREDENTIALS.clientId}, x-client-secret: ${SANDBOX_CREDENTIALS.clientSecrets[0]}`;

/** Secret that signs webhooks. `rotate` switches between the two client secrets, to test the rotation of a secret. */
export class SigningSecret {
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
 *
 * @throws ApiError as the provider refuses the call
 */
export function checkCredentials({ headers }: FastifyRequest): void {
  const id = headers['x-client-id'];
  const secret = headers['x-client-secret'];
  if (!id) throw apiError('clientIdMissing');
  if (!secret) throw apiError('clientSecretMissing');
  const known = SANDBOX_CREDENTIALS.clientSecrets.some((each) => each === secret);
  if (id !== SANDBOX_CREDENTIALS.clientId || !known) throw apiError('authenticationFailed');
}
