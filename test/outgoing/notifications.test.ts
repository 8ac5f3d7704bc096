/** Stories of notifications of customers, sent through the endpoints of the merchant. */
import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { merchantEventBodySchema } from '../../src/services/outgoing/event-body.ts';
import { bootGateway, eventually, type Gateway, STEPS_TO_THE_END_OF_THE_CALL } from '../harness/gateway.ts';
import { inMinutes, type Person, person } from '../harness/people.ts';
import { type Received, type Receiver, sendTo, startReceiver, verify } from '../harness/receiver.ts';

const REQUESTED = 'customer.notification_requested';
const NOTIFICATIONS = `query ($id: ID!, $first: Int = 20, $after: String) {
  result: session(id: $id) { notifications(first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id kind channel locale text state outcome dueAt settledAt requestedBy causedBy { sequence changes } } } } }`;

const listOf = async (who: Person, id: string) =>
  (await who.query(NOTIFICATIONS, { id })).notifications.nodes;

const requestsOf = ({ accepted }: Receiver): Received[] =>
  accepted.filter(({ body }) => body.type === REQUESTED);

/** Boots a gateway whose endpoint `core` gets only requests of notifications. */
async function notifying(endpoint: object = {}, options: Parameters<typeof bootGateway>[0] = {}) {
  const receiver = await startReceiver();
  const gateway = await bootGateway({
    lookIntervalMs: 50,
    ...options,
    environment: {
      ...sendTo({ core: receiver }, { events: [REQUESTED], ...endpoint }),
      ...options?.environment,
    },
  });
  return { receiver, gateway, olga: await person(gateway, 'olga', 'OPERATOR') };
}

const settled = (who: Person, id: string, state: string) =>
  eventually(async () => {
    const all = await listOf(who, id);
    return all.length > 0 && all.every((each: any) => each.state === state) && all;
  });

const linkOf = async (gateway: Gateway, id: string): Promise<string> =>
  (await gateway.graphql('query ($id: ID!) { session(id: $id) { link } }', { id })).data.session.link;

describe('notifyCustomer', () => {
  test('the request reaches the endpoint with the text, and the notification is SENT once the endpoint accepted it', async () => {
    const { receiver, gateway, olga } = await notifying();
    const { id } = await gateway.start('notify.1');

    const asked = await olga.act('notifyCustomer', id, { kind: 'LINK' });
    expect(asked).toMatchObject({
      __typename: 'NotifyCustomerSuccess',
      replayed: false,
      notification: {
        ...{ kind: 'LINK', channel: 'WEBHOOK', locale: 'EN', state: 'QUEUED', requestedBy: 'olga' },
        causedBy: { sequence: 2, changes: ['NOTIFICATIONS'], applied: false },
      },
      session: { subStatus: 'LINK_GENERATED', version: 1 },
    });
    const [notification] = await settled(olga, id, 'SENT');

    expect(notification).toMatchObject({ id: asked.notification.id, outcome: 'ACCEPTED' });
    const [delivery] = requestsOf(receiver);
    expect(verify(delivery!)).toEqual(delivery!.body);
    expect(delivery!.body.data).toMatchObject({
      session: { id, verificationId: 'notify.1' },
      sequence: 2,
      notification: {
        ...{ id: asked.notification.id, kind: 'LINK', locale: 'EN' },
        text: 'Your verification link is ready. Please open the link and follow the steps.',
      },
    });
  });

  test('a body has the published form and no personal data, unless the endpoint is configured to get it', async () => {
    const plain = await notifying();
    const { id } = await plain.gateway.start('personal.1');
    await plain.olga.act('notifyCustomer', id, { kind: 'LINK' });
    const [without] = await eventually(
      async () => requestsOf(plain.receiver).length > 0 && requestsOf(plain.receiver),
    );

    const full = await notifying({ personalData: true });
    const user = { phone: '9988776655', name: 'Asha Rao', email: 'asha@customers.example' };
    const other = await full.gateway.start('personal.2', { user });
    await full.olga.act('notifyCustomer', other.id, { kind: 'LINK' });
    const [withData] = await eventually(
      async () => requestsOf(full.receiver).length > 0 && requestsOf(full.receiver),
    );

    const link = await linkOf(full.gateway, other.id);
    expect(without!.text).not.toMatch(/Asha|99887|customers\.example|https?:/);
    expect(withData!.body.data.customer).toEqual({ ...user, link });
    const ajv = new Ajv2020({ formats: { 'date-time': /^[\d-]{10}T[\d:.]{12}Z$/ } });
    const isValid = ajv.compile(JSON.parse(await readFile('schema/webhooks/event.schema.json', 'utf8')));
    for (const { body } of [without!, withData!]) {
      expect(isValid(body), JSON.stringify(isValid.errors)).toBe(true);
      expect(merchantEventBodySchema.parse(body)).toEqual(body);
    }
    const { rows } = await full.gateway.database.query(
      `select fields from personal_data_read where viewer = 'webhook:core'`,
    );
    expect(rows).toEqual([{ fields: expect.arrayContaining(['VkycUser.phone', 'VkycSession.link']) }]);
    const logs = [...plain.gateway.logs, ...full.gateway.logs].join('');
    expect(logs).not.toMatch(/Asha|99887|customers\.example|Please open the link/);
    expect(logs).not.toContain(link);
  });

  test('a repeated call with the same key notifies once, and another input with that key is refused', async () => {
    const { receiver, gateway, olga } = await notifying();
    const { id } = await gateway.start('again.1');
    const input = { kind: 'LINK', idempotencyKey: 'same' };

    const first = await olga.act('notifyCustomer', id, input);
    const again = await olga.act('notifyCustomer', id, input);
    const other = await olga.act('notifyCustomer', id, { ...input, locale: 'HI' });
    await settled(olga, id, 'SENT');

    expect(again).toMatchObject({ replayed: true, notification: { id: first.notification.id } });
    expect(other).toMatchObject({ __typename: 'ConflictError' });
    expect(requestsOf(receiver)).toHaveLength(1);
  });

  test('the text follows the language of the call, then that of the customer, and staff may write their own', async () => {
    const { receiver, gateway, olga } = await notifying();
    const { id } = await gateway.start('hindi.1', { languages: ['hi-IN'] });

    await olga.act('notifyCustomer', id, { kind: 'RETRY' });
    await olga.act('notifyCustomer', id, { kind: 'RETRY', locale: 'EN' });
    await olga.act('notifyCustomer', id, { kind: 'RETRY', text: 'We call you at noon.' });
    await eventually(async () => requestsOf(receiver).length === 3);

    expect(requestsOf(receiver).map(({ body }) => body.data.notification?.text)).toEqual([
      'आपका वेरिफ़िकेशन लिंक तैयार है। कृपया लिंक खोलें और बताए गए चरण पूरे करें।',
      'Your verification link is ready. Please open the link and follow the steps.',
      'We call you at noon.',
    ]);
  });

  test('a subscriber learns that notifications changed, and reads them newest first, page by page', async () => {
    const { gateway, olga } = await notifying();
    const { id } = await gateway.start('live.1');
    const frames = gateway.subscribe(
      'subscription ($id: ID!) { sessionLive(sessionId: $id) { __typename ... on StatusTransition { sequence changes } } }',
      { id },
    );
    await frames.next();
    await olga.act('notifyCustomer', id, { kind: 'LINK' });
    await olga.act('notifyCustomer', id, { kind: 'RETRY' });
    let frame: any;
    do frame = await frames.next();
    while (frame.__typename !== 'StatusTransition');

    expect(frame).toMatchObject({ sequence: 2, changes: ['NOTIFICATIONS'] });
    const { notifications: first } = await olga.query(NOTIFICATIONS, { id, first: 1 });
    expect(first).toMatchObject({
      totalCount: 2,
      nodes: [{ kind: 'RETRY' }],
      pageInfo: { hasNextPage: true },
    });
    const after = first.pageInfo.endCursor;
    const { notifications: rest } = await olga.query(NOTIFICATIONS, { id, first: 1, after });
    expect(rest).toMatchObject({ nodes: [{ kind: 'LINK' }], pageInfo: { hasNextPage: false } });
  });

  test('a kind that does not fit the session is refused with the reason, and so is a customer', async () => {
    const { gateway, olga } = await notifying();
    const { id } = await gateway.start('refused.1');
    const customer = await person(gateway, 'asha', 'CUSTOMER', ['refused.1']);

    for (const [kind, message] of [
      ['MEETING_REMINDER', 'No meeting is booked.'],
      ['MEETING_CANCELLED', 'No meeting was cancelled.'],
      ['DECISION', 'No decision has been made that the customer may learn.'],
    ] as const)
      expect(await olga.act('notifyCustomer', id, { kind })).toMatchObject({
        ...{ __typename: 'ActionNotAllowedError', action: 'NOTIFY', message },
      });
    expect(await olga.act('notifyCustomer', id, { kind: 'LINK', text: 'x'.repeat(501) })).toMatchObject({
      ...{ __typename: 'InvalidInputError', problems: [{ path: ['text'] }] },
    });
    expect(await customer.act('notifyCustomer', id, { kind: 'LINK' })).toMatchObject({
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    });
    expect(await customer.query(NOTIFICATIONS, { id })).toEqual({ notifications: null });
  });

  test('without a mail server and an endpoint that gets the event, the refusal says what to configure', async () => {
    const receiver = await startReceiver();
    const gateway = await bootGateway({
      environment: sendTo({ core: receiver }, { events: ['review.recorded'] }),
    });
    const olga = await person(gateway, 'olga', 'OPERATOR');
    const { id } = await gateway.start('nowhere.1');

    const message =
      'No way to notify customers is configured: set SMTP_URL, or an endpoint in WEBHOOK_ENDPOINTS that gets customer.notification_requested.';
    expect(await olga.act('notifyCustomer', id, { kind: 'LINK' })).toMatchObject({
      ...{ __typename: 'ActionNotAllowedError', message },
    });
    expect((await olga.look(id)).blockedActions).toContainEqual({ action: 'NOTIFY', reason: message });
  });
});

describe('an automatic notification', () => {
  const ALL = 'LINK,MEETING_BOOKED,MEETING_MOVED,MEETING_CANCELLED,DECISION';

  test('is sent once for a link, a booked, a moved and a cancelled meeting, and a decision', async () => {
    const { receiver, gateway, olga } = await notifying({}, { environment: { NOTIFICATIONS: ALL } });
    const { id } = await gateway.start('automatic.1');
    const told = (count: number) => eventually(async () => requestsOf(receiver).length === count);
    await told(1);
    const startsAt = inMinutes(60);
    await olga.act('scheduleMeeting', id, { startsAt });
    await told(2);
    await olga.act('scheduleMeeting', id, { startsAt: inMinutes(90) });
    await told(3);
    await olga.act('cancelMeeting', id);
    await told(4);
    await olga.act('closeSession', id, { outcome: 'REJECTED', reason: 'CUSTOMER_WITHDREW' });
    await told(5);

    const all = await settled(olga, id, 'SENT');
    expect(all.map(({ kind }: any) => kind).toReversed()).toEqual([
      ...['LINK', 'MEETING_BOOKED', 'MEETING_MOVED', 'MEETING_CANCELLED', 'DECISION'],
    ]);
    const texts = requestsOf(receiver).map(({ body }) => body.data.notification?.text);
    const parts = new Intl.DateTimeFormat('en-GB', {
      ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'Asia/Kolkata' },
    }).format(new Date(startsAt));
    expect(texts[1]).toMatch(
      new RegExp(`^Your video call is booked for [A-Z]\\w+ \\d+ \\w+ \\d{4}, ${parts}\\.`),
    );
    expect(all.every(({ requestedBy }: any) => requestedBy === null)).toBe(true);
  });

  test('is not sent again if the provider repeats the meeting', async () => {
    const { receiver, gateway, olga } = await notifying(
      {},
      { environment: { NOTIFICATIONS: 'MEETING_BOOKED,MEETING_CANCELLED' } },
    );
    const { id } = await gateway.start('repeated.1');
    await olga.act('scheduleMeeting', id, { startsAt: inMinutes(60) });
    await eventually(async () => requestsOf(receiver).length === 1);
    await gateway.webhook({
      event_time: inMinutes(1),
      data: {
        ...{ verification_id: 'repeated.1', status: 'PRE_VIDEO_CALL' },
        sub_status: 'USER_MEETING_SCHEDULED',
      },
    });
    await eventually(async () => (await olga.look(id)).version === 3);
    await olga.act('cancelMeeting', id);
    await eventually(async () => requestsOf(receiver).length === 2);

    expect((await listOf(olga, id)).map(({ kind }: any) => kind)).toEqual([
      ...['MEETING_CANCELLED', 'MEETING_BOOKED'],
    ]);
  });

  test('is not sent if its kind is switched off', async () => {
    const { receiver, gateway, olga } = await notifying(
      {},
      { environment: { NOTIFICATIONS: 'MEETING_CANCELLED' } },
    );
    const { id } = await gateway.start('off.1');
    await olga.act('scheduleMeeting', id, { startsAt: inMinutes(60) });
    await olga.act('cancelMeeting', id);
    await eventually(async () => requestsOf(receiver).length === 1);

    expect((await listOf(olga, id)).map(({ kind }: any) => kind)).toEqual(['MEETING_CANCELLED']);
  });

  test('of a rejection has the text of the status and that of the reviewer for the customer', async () => {
    const { receiver, gateway, olga } = await notifying({}, { environment: { NOTIFICATIONS: 'DECISION' } });
    const { id } = await gateway.start('decided.awaits-review');
    const agent = await person(gateway, 'ravi', 'AGENT');
    await gateway.advance('decided.awaits-review', STEPS_TO_THE_END_OF_THE_CALL);
    await eventually(async () => (await agent.look(id)).availableActions.includes('RECORD_AGENT_REVIEW'));
    await agent.act('recordAgentReview', id, {
      ...{ decision: 'REJECTED', reasons: ['FACE_MISMATCH'], remarks: 'another face' },
      customerMessage: 'Please visit a branch.',
    });
    await settled(olga, id, 'SENT');

    const [told] = requestsOf(receiver);
    expect(told?.body.data).toMatchObject({
      subStatus: 'AGENT_REJECTED',
      notification: { kind: 'DECISION' },
    });
    expect(told?.body.data.notification?.text).toMatch(/^[A-Z].+\.\n\nPlease visit a branch\.$/);
    expect(told?.text).not.toContain('another face');
  });
});
