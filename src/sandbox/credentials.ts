import type { FastifyRequest } from 'fastify';
import { refuse } from './errors.ts';

/**
 * What the sandbox takes as client id, and as client secret either of the two. The first signs webhooks, until the
 * secret is rotated.
 */
export const SANDBOX_CREDENTIALS = {
  clientId: 'sandbox',
  clientSecrets: ['sandbox', 'sandbox-next'],
} as const;

/** The secret that signs, which takes turns with the other one. */
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

/** Throws the provider's refusal. */
export function checkCredentials({ headers }: FastifyRequest): void {
  const id = headers['x-client-id'];
  const secret = headers['x-client-secret'];
  if (!id) throw refuse('clientIdMissing');
  if (!secret) throw refuse('clientSecretMissing');
  const known = SANDBOX_CREDENTIALS.clientSecrets.some((each) => each === secret);
  if (id !== SANDBOX_CREDENTIALS.clientId || !known) throw refuse('authenticationFailed');
}
