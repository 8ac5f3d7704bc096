/** Helpers that start sessions, at the sandbox or at a provider whose answers the test scripts. */
import { readFile } from 'node:fs/promises';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { type Script, startScriptedProvider } from '../harness/provider.ts';

const START = `mutation ($input: StartSessionInput!) {
  startSession(input: $input) {
    __typename
    ... on StartSessionSuccess { replayed session {
      id verificationId referenceId status subStatus link linkExpiresAt user { userId phone name } transitions(first: 10) { nodes { sequence subStatus source } }
    } }
    ... on MutationError { code message retryable }
    ... on InvalidInputError { problems { path message } }
    ... on ProviderError { providerCode retryAfterSeconds }
  }
}`;

export const start = async (gateway: Gateway, input: object) =>
  (await gateway.graphql(START, { input })).data.startSession;
export const asha = { phone: '9988776655', name: 'Asha Rao' };
export const fixture = (name: string) => readFile(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');

/** Starts a gateway whose provider answers by a script. */
export const against = async (
  script: Script,
  { environment = {}, ...options }: Parameters<typeof bootGateway>[0] = {},
) => {
  const provider = await startScriptedProvider(script);
  const gateway = await bootGateway({
    ...options,
    environment: {
      ...environment,
      CASHFREE_BASE_URL: provider.baseUrl,
      CASHFREE_CLIENT_ID: 'id',
      CASHFREE_CLIENT_SECRET: 'secret',
    },
  });
  return { provider, gateway };
};

export const known = (userId: string) => ({
  body: JSON.stringify({ user_id: userId, user_reference_id: 1358, phone: '9988776655' }),
});
export const problem = (status: number, code: string, message = 'no') => ({
  status,
  body: JSON.stringify({ type: 't', code, message }),
});
