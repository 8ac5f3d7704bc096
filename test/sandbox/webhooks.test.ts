import { expect, test } from 'vitest';
import { isValidWebhookSignature } from '../../src/provider/signature.ts';
import { eventually } from '../harness/gateway.ts';
import { bootSandbox, type Received, SetClock, startReceiver } from './harness.ts';

/** Steps of the scenario happy-path for which the provider documents a webhook event. */
const DOCUMENTED = [
  'LINK_GENERATED',
  'AADHAAR_VERIFICATION_SUCCESS',
  'USER_QUEUED',
  'USER_MEETING_SCHEDULED',
  'SCHEDULED_USER_QUEUED',
  'USER_ACCEPTED_MEETING',
  'AGENT_ENDED_CALL',
  'AUDITOR_APPROVED',
];
const ALL = 14;
/**
 * Speed that shortens real waits of the sandbox, such as retries. Steps still need `advance`, because the
 * clock stands still.
 */
const FAST = 20;

const isSigned = ({ headers, text }: Received, secret: string): boolean =>
  isValidWebhookSignature(
    [secret],
    String(headers['x-webhook-timestamp']),
    Buffer.from(text),
    String(headers['x-webhook-signature']),
  );

async function walked(id: string, options: Parameters<typeof bootSandbox>[0] = {}) {
  const receiver = await startReceiver();
  const client = await bootSandbox(options);
  client.sandbox.deliverTo(receiver.url);
  await client.start(id);
  await client.advance(id, ALL);
  return { client, ...receiver };
}

const arrived = (received: readonly Received[], count: number) =>
  eventually(async () => received.length >= count && received.map(({ subStatus }) => subStatus));

test('every step of a sandbox journey sends a signed webhook in the documented shape', async () => {
  const { received } = await walked('loan-1.happy-path');

  const subStatuses = await arrived(received, ALL);

  expect(subStatuses[0]).toBe('LINK_GENERATED');
  expect(subStatuses.at(-1)).toBe('AUDITOR_APPROVED');
  expect(new Set(subStatuses).size).toBe(ALL);
  for (const webhook of received) expect(isSigned(webhook, 'sandbox')).toBe(true);
  expect(received[0]?.headers).toMatchObject({
    'content-type': 'application/json',
    'x-webhook-attempt': '1',
    'x-webhook-timestamp': expect.stringMatching(/^\d{13}$/),
  });
  expect(JSON.parse(received[0]?.text as string)).toEqual({
    event_type: 'VKYC_USER_LINK_GENERATED',
    event_time: '2026-03-02T12:00:00Z',
    version: 'v1',
    data: {
      verification_id: 'loan-1.happy-path',
      reference_id: 10_000,
      user_reference_id: 10_000,
      user_id: expect.stringMatching(/^auto-/),
      status: 'RECEIVED',
      sub_status: 'LINK_GENERATED',
      vkyc_link: expect.stringContaining('https://forms-test.cashfree.com/'),
      link_expiry: '2026-04-01',
      recording_link: '',
      meeting_schedule: '',
    },
  });
});

test('with SANDBOX_WEBHOOKS=documented, steps without a documented event send no webhook', async () => {
  const { client, received } = await walked('loan-1.happy-path', { webhooks: 'documented' });

  expect(await arrived(received, DOCUMENTED.length)).toEqual(DOCUMENTED);
  expect(JSON.parse(await client.events())).toHaveLength(DOCUMENTED.length);
});

test('the sandbox retries a refused webhook and holds back later webhooks of the same verification, but not of others', async () => {
  let refusals = 3;
  const receiver = await startReceiver(({ verificationId, subStatus }) => {
    if (verificationId !== 'held.happy-path' || subStatus !== 'LINK_GENERATED') return 200;
    refusals -= 1;
    return refusals >= 0 ? 503 : 200;
  });
  const client = await bootSandbox();
  client.sandbox.deliverTo(receiver.url);
  await client.start('held.happy-path');
  await client.advance('held.happy-path');
  await client.start('free.happy-path');

  await arrived(receiver.received, 6);

  const order = receiver.received.map(
    ({ verificationId, subStatus, headers }) =>
      `${verificationId?.slice(0, 4)} ${subStatus} ${headers['x-webhook-attempt']}`,
  );
  expect(order.filter((line) => line.startsWith('held'))).toEqual([
    'held LINK_GENERATED 1',
    'held LINK_GENERATED 2',
    'held LINK_GENERATED 3',
    'held LINK_GENERATED 4',
    'held AADHAAR_VERIFICATION_SUCCESS 1',
  ]);
  expect(order.indexOf('free LINK_GENERATED 1')).toBeLessThan(order.indexOf('held LINK_GENERATED 4'));
});

test('webhooks of the sandbox are only listed until a webhook URL is set; then the sandbox sends them', async () => {
  const receiver = await startReceiver();
  const client = await bootSandbox();
  await client.start('early.awaits-review');
  expect(JSON.parse(await client.events())).toHaveLength(1);

  const answer = await client.control('POST', '/webhook-url', { url: receiver.url });

  expect(answer).toMatchObject({ status: 200, body: { webhook_url: receiver.url } });
  expect(await arrived(receiver.received, 1)).toEqual(['LINK_GENERATED']);
});

test('POST /rotate-secret makes the sandbox sign webhooks with the other one of its two secrets', async () => {
  const receiver = await startReceiver();
  const client = await bootSandbox();
  client.sandbox.deliverTo(receiver.url);
  await client.start('rotated.happy-path');
  await arrived(receiver.received, 1);

  for (const count of [2, 3]) {
    await client.control('POST', '/rotate-secret');
    await client.advance('rotated.happy-path');
    await arrived(receiver.received, count);
  }

  const signers = receiver.received.map((webhook) =>
    ['sandbox', 'sandbox-next'].filter((secret) => isSigned(webhook, secret)),
  );
  expect(signers).toEqual([['sandbox'], ['sandbox-next'], ['sandbox']]);
});

test('with the sandbox fault duplicate, every webhook is sent two to four times with the same bytes', async () => {
  const { received, client } = await walked('loan-1.happy-path.with-duplicate');
  const events = JSON.parse(await client.events()) as { copies: number }[];
  const sent = events.reduce((sum, { copies }) => sum + copies, 0);

  await arrived(received, sent);

  expect(events).toHaveLength(ALL);
  expect(Math.min(...events.map(({ copies }) => copies))).toBeGreaterThanOrEqual(2);
  expect(Math.max(...events.map(({ copies }) => copies))).toBeLessThanOrEqual(4);
  expect(received).toHaveLength(sent);
  expect(new Set(received.map(({ text }) => text)).size).toBe(ALL);
});

test('with the sandbox fault reorder, each pair of successive webhooks is sent in reverse order', async () => {
  const inOrder = await walked('loan-1.happy-path');
  const { received } = await walked('loan-1.happy-path.with-reorder');

  const straight = await arrived(inOrder.received, ALL);
  const swapped = await arrived(received, ALL);

  expect(swapped).toEqual(straight.map((_, index) => straight[index % 2 ? index - 1 : index + 1]));
});

test('with the sandbox fault reorder, a webhook that has no successor to swap with is still sent', async () => {
  const receiver = await startReceiver();
  const client = await bootSandbox({ speed: FAST });
  client.sandbox.deliverTo(receiver.url);

  await client.start('alone.awaits-review.with-reorder');

  expect(await arrived(receiver.received, 1)).toEqual(['LINK_GENERATED']);
});

test('with the sandbox fault delay, later webhooks of the same verification are sent before the delayed webhook', async () => {
  const receiver = await startReceiver();
  const client = await bootSandbox({ speed: FAST });
  client.sandbox.deliverTo(receiver.url);
  await client.start('late.happy-path');
  await client.control('PUT', '/faults', { delay: { times: 1 } });

  await client.advance('late.happy-path', 3);

  expect(await arrived(receiver.received, 4)).toEqual([
    'LINK_GENERATED',
    'USER_IP_VERIFICATION_SUCCESSFUL',
    'USER_LOCATION_VERIFICATION_SUCCESS',
    'AADHAAR_VERIFICATION_SUCCESS',
  ]);
});

test('with the sandbox fault drop, webhooks are not sent, and the list of webhooks marks them as dropped', async () => {
  const { client, received } = await walked('loan-1.happy-path.with-drop');
  await client.start('witness.awaits-review');

  await eventually(async () => received.some(({ verificationId }) => verificationId?.startsWith('witness')));

  expect(received).toHaveLength(1);
  const events = JSON.parse(await client.events()) as { copies: number; faults: string[] }[];
  expect(events.slice(0, ALL).every(({ copies, faults }) => copies === 0 && faults[0] === 'drop')).toBe(true);
});

test('the sandbox fault bad-signature sends JSON with an invalid signature; malformed-json sends signed invalid JSON', async () => {
  const receiver = await startReceiver();
  const client = await bootSandbox();
  client.sandbox.deliverTo(receiver.url);

  await client.start('forged.awaits-review.with-bad-signature');
  await arrived(receiver.received, 1);
  await client.start('broken.awaits-review.with-malformed-json');
  await arrived(receiver.received, 2);

  const [forged, broken] = receiver.received as [Received, Received];
  expect([forged.subStatus, isSigned(forged, 'sandbox'), isSigned(forged, 'sandbox-next')]).toEqual([
    'LINK_GENERATED',
    false,
    false,
  ]);
  expect(() => JSON.parse(broken.text)).toThrow(SyntaxError);
  expect(isSigned(broken, 'sandbox')).toBe(true);
});

test('the sandbox gives a webhook up after five refusals and sends the next one', async () => {
  const receiver = await startReceiver(({ subStatus }) => (subStatus === 'LINK_GENERATED' ? 401 : 200));
  const client = await bootSandbox();
  client.sandbox.deliverTo(receiver.url);
  await client.start('refused.awaits-review');
  await client.advance('refused.awaits-review');

  const all = await arrived(receiver.received, 6);

  expect(all).toEqual([...Array(5).fill('LINK_GENERATED'), 'AADHAAR_VERIFICATION_SUCCESS']);
});

test('with the sandbox fault unknown-status, a webhook has an unknown sub-status, while the status call returns the real one', async () => {
  const receiver = await startReceiver();
  const client = await bootSandbox();
  client.sandbox.deliverTo(receiver.url);
  await client.start('odd.awaits-review.with-unknown-status');

  const [subStatus] = await arrived(receiver.received, 1);

  expect(subStatus).not.toBe('LINK_GENERATED');
  expect(await client.look('odd.awaits-review.with-unknown-status')).toMatchObject({
    sub_status: 'LINK_GENERATED',
  });
});

test('several sandbox faults can affect one webhook: it has an unknown status and is sent more than once', async () => {
  const { client } = await walked('a.random.with-duplicate.with-bad-signature');
  await client.control('PUT', '/faults', { 'unknown-status': {} });
  await client.start('b.random.with-duplicate');

  const last = JSON.parse(await client.events()).at(-1);

  expect(last).toMatchObject({ faults: ['duplicate', 'unknown-status'] });
  expect(last.copies).toBeGreaterThan(1);
});

test('a sandbox fault affects webhooks with its `probability`, and at most `times` times', async () => {
  const client = await bootSandbox();
  await client.control('PUT', '/faults', { drop: { probability: 0.3 }, duplicate: { times: 2 } });

  for (let index = 0; index < 20; index += 1) {
    await client.start(`${index}.happy-path`);
    await client.advance(`${index}.happy-path`, ALL);
  }

  const events = JSON.parse(await client.events()) as { faults: string[] }[];
  const share = events.filter(({ faults }) => faults.includes('drop')).length / events.length;
  expect(events).toHaveLength(20 * ALL);
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.4);
  expect(events.filter(({ faults }) => faults.includes('duplicate'))).toHaveLength(2);
});

test('the same seed and calls make the sandbox list the same webhooks byte for byte; another seed gives another list', async () => {
  const story = async (seed: string) => {
    const clock = new SetClock();
    const client = await bootSandbox({ seed, clock, speed: 10 });
    await client.control('PUT', '/faults', { drop: { probability: 0.2 }, duplicate: { probability: 0.3 } });
    for (const name of ['a.random', 'b.random', 'c.lifelike', 'd.happy-path.with-reorder']) {
      await client.start(name);
      clock.forward(0.7);
    }
    await client.advance('d.happy-path.with-reorder', 2);
    clock.forward(40 * 86_400);
    return client.events();
  };

  const [one, same, another] = [await story('one'), await story('one'), await story('two')];

  expect(JSON.parse(one).length).toBeGreaterThan(30);
  expect(same).toBe(one);
  expect(another).not.toBe(one);
});
