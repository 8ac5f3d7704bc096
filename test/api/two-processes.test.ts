import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { DATA_KEYS, freshDatabase } from '../harness/gateway.ts';
import { inMinutes } from '../harness/people.ts';
import { type GatewayProcess, startGatewayProcess } from '../harness/process.ts';

const CALLS = 50;

test('of 50 concurrent identical mutations on two processes, one takes effect, and 49 results are marked as replayed', async () => {
  const environment = { DATABASE_URL: await freshDatabase(), DATA_KEYS };
  const one = await startGatewayProcess(environment);
  const { sandbox } = JSON.parse(one.output.find((line) => line.includes('is ready')) as string) as {
    sandbox: string;
  };
  const credentials = {
    CASHFREE_BASE_URL: sandbox,
    CASHFREE_CLIENT_ID: 'sandbox',
    CASHFREE_CLIENT_SECRET: 'sandbox',
  };
  const two = await startGatewayProcess({ ...environment, ...credentials });
  const call = async (gateway: GatewayProcess, query: string, input: object) => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { input } }),
    });
    const answer = (await response.json()) as any;
    expect(answer.errors).toBeUndefined();
    return answer.data.result;
  };
  const onBoth = (query: string, input: object) =>
    Promise.all(Array.from({ length: CALLS }, (_, index) => call(index % 2 ? one : two, query, input)));

  const started = await onBoth(
    'mutation ($input: StartSessionInput!) { result: startSession(input: $input) { ... on StartSessionSuccess { replayed session { id } } } }',
    { verificationId: 'two.1', user: { phone: '9988776655' } },
  );
  const sessionId = started[0].session.id;
  const booked = await onBoth(
    'mutation ($input: ScheduleMeetingInput!) { result: scheduleMeeting(input: $input) { ... on ScheduleMeetingSuccess { replayed meeting { id } } } }',
    { sessionId, startsAt: inMinutes(30), idempotencyKey: randomUUID() },
  );

  expect(new Set(started.map((each) => each.session.id)).size).toBe(1);
  expect(started.filter((each) => each.replayed)).toHaveLength(CALLS - 1);
  expect(new Set(booked.map((each) => each.meeting.id)).size).toBe(1);
  expect(booked.filter((each) => each.replayed)).toHaveLength(CALLS - 1);
});
