import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { enter } from '../chaos/book.ts';
import { bootGateway, eventually } from '../harness/gateway.ts';
import { startSandboxProcess } from '../harness/process.ts';
import { startHttpProxy } from '../harness/tcp-proxy.ts';

const MEETING = `mutation ($input: ScheduleMeetingInput!) {
  scheduleMeeting(input: $input) { __typename ... on MutationError { code } }
}`;
const START = `mutation ($input: StartSessionInput!) {
  startSession(input: $input) {
    __typename
    ... on StartSessionSuccess { session { verificationId } }
    ... on MutationError { code retryable }
  }
}`;

test('while the provider is unreachable, startSession fails with a retryable error; webhooks, meetings, queries and subscriptions still succeed', async () => {
  const provider = await startSandboxProcess();
  const wire = await startHttpProxy(provider.access.CASHFREE_BASE_URL);
  const environment = { ...provider.access, CASHFREE_BASE_URL: `${wire.url}/verification` };
  const gateway = await bootGateway({ environment, polling: true });
  const { id } = await gateway.start('provider.away');
  const live = gateway.subscribe('subscription { statusTransitions { subStatus } }');
  const asked = async (verificationId: string) => {
    const input = { verificationId, user: { phone: '9988776655' } };
    return (await gateway.graphql(START, { input })).data.startSession;
  };
  const webhook = (sub_status: string, second: number) =>
    gateway.webhook({
      event_type: 'VKYC_STATUS',
      event_time: new Date(Date.now() + second * 1000).toISOString(),
      data: { verification_id: 'provider.away', status: 'PRE_VIDEO_CALL', sub_status },
    });

  wire.cut();

  // Sends several starts, so that the circuit breaker of the provider calls opens.
  for (let attempt = 0; attempt < 4; attempt += 1)
    expect(await asked(`away.${attempt}`)).toEqual({
      __typename: 'ProviderError',
      code: 'PROVIDER_UNAVAILABLE',
      retryable: true,
    });
  expect(await webhook('AADHAAR_VERIFICATION_SUCCESS', 1)).toBe(200);
  expect(await live.next()).toEqual({ subStatus: 'AADHAAR_VERIFICATION_SUCCESS' });
  const startsAt = new Date(Date.now() + 3_600_000).toISOString();
  const booked = await gateway.graphql(MEETING, {
    input: { sessionId: id, startsAt, idempotencyKey: randomUUID() },
  });
  expect(booked.data.scheduleMeeting).toEqual({ __typename: 'ScheduleMeetingSuccess' });
  expect(await live.next()).toEqual({ subStatus: 'USER_MEETING_SCHEDULED' });
  const read = await gateway.graphql('query ($id: ID!) { session(id: $id) { subStatus } }', { id });
  expect(read.data.session).toEqual({ subStatus: 'USER_MEETING_SCHEDULED' });
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);

  wire.mend();
  await eventually(async () => (await asked('away.0')).__typename === 'StartSessionSuccess');
  expect(await live.next()).toEqual({ subStatus: 'LINK_GENERATED' });
  // `headers` has an entry for each GraphQL request over HTTP. The three other requests are the webhook, the
  // subscription and GET /readyz.
  const requests = gateway.headers.length + 3;
  enter('provider-away', { requests, faults: 1, lost: 0, repeated: 0, outOfOrder: 0, wrong: 0 });
});
