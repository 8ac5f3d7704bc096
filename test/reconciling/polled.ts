/** Test helpers: gateways that poll, with a clock that tests can move forward. */
import { movableClock } from '../harness/clock.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { type Script, startScriptedProvider } from '../harness/provider.ts';

export const MINUTE = 60_000;

const LOG = `query ($id: String!) {
  sessionByVerificationId(verificationId: $id) {
    id status subStatus user { userId phone name }
    transitions(first: 50) { nodes { sequence subStatus source applied } }
  }
}`;

type Options = Parameters<typeof bootGateway>[0] & object;

export async function polledGateway(environment: Record<string, string> = {}, options: Options = {}) {
  const clock = movableClock();
  const gateway = await bootGateway({ environment, clock, polling: true, ...options });
  return { gateway, clock };
}

/** Boots a gateway that polls a provider scripted by the test. */
export async function againstScript(script: Script, options: Options = {}) {
  const provider = await startScriptedProvider(script);
  const environment = {
    CASHFREE_BASE_URL: provider.baseUrl,
    CASHFREE_CLIENT_ID: 'id',
    CASHFREE_CLIENT_SECRET: 'sandbox',
    // Uses the sandbox's default. With the default for real accounts, polls would be almost a second apart.
    PROVIDER_CALLS_PER_MINUTE: '6000',
  };
  return { provider, ...(await polledGateway(environment, options)) };
}

export async function sessionOf(gateway: Gateway, id: string): Promise<any> {
  const answer = await gateway.graphql(LOG, { id });
  if (!answer.data) throw new Error(JSON.stringify(answer));
  return answer.data.sessionByVerificationId;
}

/** Returns the transitions of a session, each as its source and sub-status. */
export const logOf = async (gateway: Gateway, id: string): Promise<string[]> =>
  (await sessionOf(gateway, id)).transitions.nodes.map((each: any) => `${each.source} ${each.subStatus}`);

/**
 * Waits until the reconciler has done all due work: adds a lookup so old that the reconciler gives it up, and
 * waits until that lookup is gone.
 */
export async function looked(gateway: Gateway): Promise<void> {
  const { rows } = await gateway.database.query(
    `insert into provider_lookup values ('looked.' || random(), now() - interval '3 days', now() - interval '3 days') returning verification_id`,
  );
  await eventually(async () => {
    const { rowCount } = await gateway.database.query(
      'select from provider_lookup where verification_id = $1',
      [rows[0].verification_id],
    );
    return rowCount === 0;
  });
}

/** Returns the body of a webhook whose event time is the given second of a fixed minute in 2025. */
export const webhookOf = (
  verification_id: string,
  status: string,
  sub_status: string,
  second: number,
  user_id = 'asha',
) => ({
  event_type: 'LABEL',
  event_time: `2025-05-22T03:51:${String(second).padStart(2, '0')}Z`,
  data: { verification_id, user_id, status, sub_status },
});
