import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { CUSTOMER_TEXTS_BY_SUB_STATUS, toCustomerMessage } from '../../src/domain/customer-texts.ts';
import { CIRCUMSTANCES, getStatusInfo, toStatusPair } from '../../src/domain/status.ts';
import { bootGateway, eventually, type Gateway, type Stream } from '../harness/gateway.ts';

const STEPS_TO_THE_DROP_OFF = 8;
const ENDED_CALL = 11;
const NOT_VISIBLE = 'It changed nothing that you can see.';

const INFO = 'statusInfo { subStatus explanation recommendedAction waitingOn terminal customerMessage }';
const ENTRY = `sequence subStatus applied reason from { explanation recommendedAction } ${INFO}`;
const PAGE = `query ($id: ID!) { session(id: $id) {
  disputed ${INFO} hindi: statusInfo { customerMessage(locale: HI) }
  transitions(first: 50) { nodes { ${ENTRY} } }
} }`;
const WATCH = `subscription ($id: ID!, $after: String) {
  statusTransitions(sessionId: $id, after: $after) { ${ENTRY} session { ${INFO} } }
}`;
const LIVE = `subscription ($id: ID!, $after: String) {
  sessionLive(sessionId: $id, after: $after) {
    ... on SessionSnapshot { session { ${INFO} } } ... on StatusTransition { ${ENTRY} }
  }
}`;
const FEED = `subscription ($after: String) { feed(after: $after) { ... on StatusTransition { ${ENTRY} } } }`;

const forStaff = (subStatus: string) => {
  const { explanation, recommendedAction } = getStatusInfo(toStatusPair(subStatus as never));
  return { explanation, recommendedAction };
};
const forCustomers = (subStatus: string) => {
  const { happened, next } =
    CUSTOMER_TEXTS_BY_SUB_STATUS[subStatus as keyof typeof CUSTOMER_TEXTS_BY_SUB_STATUS].EN;
  return { explanation: happened, recommendedAction: next };
};

const headersOf = async (gateway: Gateway, role: string, verificationIds: string[] = []) => ({
  authorization: `Bearer ${await gateway.token({ sub: role.toLowerCase(), roles: [role], verification_ids: verificationIds })}`,
});

/** Performs a mutation with the idempotency key and fields of `input`; fails the test if it is refused. */
async function act(gateway: Gateway, headers: Record<string, string>, name: string, input: object) {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  const { data, errors } = await gateway.graphql(
    `mutation ($input: ${type}Input!) { result: ${name}(input: $input) { __typename } }`,
    { input: { idempotencyKey: randomUUID(), ...input } },
    headers,
  );
  expect(errors).toBeUndefined();
  expect(data.result.__typename).toMatch(/Success$/);
}

/** Boots a gateway with a session whose customer lost the connection to the call. */
async function afterTheDropOff(verificationId: string) {
  const gateway = await bootGateway();
  const [operator, viewer, customer] = await Promise.all([
    headersOf(gateway, 'OPERATOR'),
    headersOf(gateway, 'VIEWER'),
    headersOf(gateway, 'CUSTOMER', [verificationId]),
  ]);
  const session = await gateway.start(verificationId);
  await gateway.advance(verificationId, STEPS_TO_THE_DROP_OFF);
  const look = async (headers: Record<string, string>) =>
    (await gateway.graphql(PAGE, { id: session.id }, headers)).data.session;
  await eventually(async () => (await look(operator)).statusInfo.subStatus === 'USER_DROPPED_OFF');
  return { gateway, session, operator, viewer, customer, look };
}

test('statusInfo, in a session and in its log, gives staff the texts for staff, and the customer the texts for customers', async () => {
  const { operator, viewer, customer, look } = await afterTheDropOff('texts.user-drops-off');

  const [ofStaff, ofViewer, ofCustomer] = [await look(operator), await look(viewer), await look(customer)];

  const message = toCustomerMessage('USER_DROPPED_OFF', 'EN');
  expect(ofStaff.statusInfo).toMatchObject({
    ...forStaff('USER_DROPPED_OFF'),
    waitingOn: 'MERCHANT',
    customerMessage: message,
  });
  expect(ofViewer).toEqual(ofStaff);
  expect(ofCustomer.statusInfo).toEqual({
    ...ofStaff.statusInfo,
    explanation: 'The connection was lost during the video call.',
    recommendedAction: 'Please open your link and join again, or book another time.',
  });
  expect(ofCustomer.hindi.customerMessage).toBe(
    'वीडियो कॉल के दौरान कनेक्शन टूट गया। कृपया अपना लिंक खोलकर फिर से जुड़ें, या कोई दूसरा समय बुक करें।',
  );
  expect(ofStaff.hindi).toEqual(ofCustomer.hindi);
  expect(ofCustomer.transitions.nodes).toHaveLength(STEPS_TO_THE_DROP_OFF + 1);
  for (const [texts, { transitions }] of [
    [forStaff, ofStaff],
    [forCustomers, ofCustomer],
  ] as const)
    for (const [index, { subStatus, statusInfo, from }] of transitions.nodes.entries()) {
      expect(statusInfo).toMatchObject(texts(subStatus));
      const before = transitions.nodes[index - 1];
      expect(from).toEqual(before ? texts(before.subStatus) : null);
    }
});

test("statusCatalog and transitionRules have the same statuses for staff and customers, with the texts for the viewer's role", async () => {
  const gateway = await bootGateway();
  const query = `{
    statusCatalog { status subStatus explanation recommendedAction waitingOn terminal reportedBy customerMessage(locale: HI) }
    transitionRules { from { subStatus explanation recommendedAction } to { subStatus explanation recommendedAction } sources action }
  }`;
  const ask = async (role: string) =>
    (await gateway.graphql(query, {}, await headersOf(gateway, role, ['any.1']))).data;
  const [staff, customer] = [await ask('AGENT'), await ask('CUSTOMER')];

  const withoutTexts = (text: unknown) =>
    JSON.parse(JSON.stringify(text), (key, value) =>
      key === 'explanation' || key === 'recommendedAction' ? '' : value,
    );
  expect(withoutTexts(customer)).toEqual(withoutTexts(staff));
  for (const [data, texts] of [
    [staff, forStaff],
    [customer, forCustomers],
  ] as const) {
    const shown = [...data.statusCatalog, ...data.transitionRules.flatMap(({ from, to }: any) => [from, to])];
    for (const info of shown)
      if (info && info.subStatus !== 'UNRECOGNIZED') expect(info).toMatchObject(texts(info.subStatus));
  }
  const unknown = customer.statusCatalog.at(-1);
  expect(unknown).toMatchObject({ subStatus: 'UNRECOGNIZED', ...forCustomers('UNRECOGNIZED') });
  expect(unknown.customerMessage).toBe(toCustomerMessage('UNRECOGNIZED', 'HI'));
  expect(JSON.stringify(customer)).not.toMatch(/closeSession|escalate|onboard/i);
});

test('the log does not show customers that staff wrote a note or escalated the session', async () => {
  const { gateway, session, operator, customer, look } = await afterTheDropOff('notes.user-drops-off');
  const sessionId = session.id;
  await act(gateway, operator, 'addNote', { sessionId, note: 'NOTE-MARKER' });
  await act(gateway, operator, 'escalateSession', { sessionId, reason: 'COMPLAINT', note: 'NOTE-MARKER' });
  await act(gateway, operator, 'resolveEscalation', { sessionId, note: 'NOTE-MARKER' });

  const reasons = async (headers: Record<string, string>) =>
    (await look(headers)).transitions.nodes.slice(-4).map(({ reason }: any) => reason);
  expect(await reasons(operator)).toEqual([
    null,
    'It records a note of staff; the status did not change.',
    'It records that staff escalated the session; the status did not change.',
    'It records that staff resolved the escalation; the status did not change.',
  ]);
  expect(await reasons(customer)).toEqual([null, NOT_VISIBLE, NOT_VISIBLE, NOT_VISIBLE]);
  expect(JSON.stringify(await look(customer))).not.toMatch(/staff|escalat|NOTE-MARKER/i);
});

test('a customer does not learn of a disputed approval until the dispute is resolved', async () => {
  const verificationId = 'disputed.awaits-review';
  const gateway = await bootGateway();
  const customer = await headersOf(gateway, 'CUSTOMER', [verificationId]);
  const [agent, auditor, admin] = await Promise.all([
    headersOf(gateway, 'AGENT'),
    headersOf(gateway, 'AUDITOR'),
    headersOf(gateway, 'ADMIN'),
  ]);
  const { id: sessionId } = await gateway.start(verificationId);
  const look = async (headers = customer) =>
    (await gateway.graphql(PAGE, { id: sessionId }, headers)).data.session;
  await gateway.advance(verificationId, ENDED_CALL);
  await eventually(async () => (await look()).statusInfo.subStatus === 'AGENT_ENDED_CALL');
  await act(gateway, agent, 'recordAgentReview', { sessionId, decision: 'APPROVED' });
  await act(gateway, auditor, 'recordAuditorReview', { sessionId, decision: 'APPROVED' });
  expect((await look()).statusInfo).toMatchObject(forCustomers('AUDITOR_APPROVED'));

  await gateway.webhook({
    event_time: new Date(Date.now() + 120_000).toISOString(),
    data: { verification_id: verificationId, status: 'AUDITOR_REVIEWED', sub_status: 'AUDITOR_REJECTED' },
  });
  await eventually(async () => (await look()).disputed);

  const checkedAgain = 'Your verification is being checked once more.';
  expect((await look()).statusInfo).toMatchObject({
    explanation: checkedAgain,
    recommendedAction: 'You need not do anything now. Please wait for the result.',
    customerMessage: expect.stringContaining(checkedAgain),
  });
  expect((await look(admin)).statusInfo).toMatchObject({
    explanation: forStaff('AUDITOR_APPROVED').explanation,
    recommendedAction: CIRCUMSTANCES.DISPUTED.advice,
    customerMessage: expect.stringContaining(checkedAgain),
  });
  await act(gateway, admin, 'resolveDispute', { sessionId, resolution: 'KEEP_OURS', note: 'All in order.' });
  expect((await look()).statusInfo).toMatchObject(forCustomers('AUDITOR_APPROVED'));
});

const ORDERS = {
  'the staff subscriber first': ['operator', 'customer'],
  'the customer first': ['customer', 'operator'],
} as const;
const TRANSPORTS = {
  WebSocket: (gateway: Gateway) => gateway.subscribe,
  'server-sent events': (gateway: Gateway) => gateway.stream,
};

for (const [transport, over] of Object.entries(TRANSPORTS))
  test.each(Object.entries(ORDERS))(
    `${transport}: subscribers of one session with the same document, %s, get the texts for their own role in live and replayed frames`,
    async (order, people) => {
      const verificationId = `shared-${order.length}.user-drops-off`;
      const story = await afterTheDropOff(verificationId);
      const { gateway, session, operator } = story;
      const open = (query: string, after?: string) =>
        people.map((who) => ({
          texts: who === 'customer' ? forCustomers : forStaff,
          reasonOf: (reason: string) => (who === 'customer' ? NOT_VISIBLE : reason),
          stream: over(gateway)(query, { id: session.id, after }, story[who]) as Stream<any>,
        }));
      // Subscribes after a cursor, so that a subscription that starts late misses no frame.
      const { data } = await gateway.graphql('{ feedCursor }', {}, operator);
      const live = [...open(WATCH, data.feedCursor), ...open(FEED, data.feedCursor)];
      const screens = open(LIVE);
      for (const { texts, stream } of screens) {
        const { session: shown } = await stream.next();
        expect(shown.statusInfo).toMatchObject(texts('USER_DROPPED_OFF'));
      }

      await act(gateway, operator, 'addNote', { sessionId: session.id, note: 'The line is bad.' });
      await act(gateway, operator, 'closeSession', {
        sessionId: session.id,
        outcome: 'FAILED',
        reason: 'CUSTOMER_UNREACHABLE',
      });

      const nextEntry = async (stream: Stream<any>): Promise<any> => {
        for (;;) {
          const frame = await stream.next();
          if (frame.sequence !== undefined) return frame;
        }
      };
      const replayed = [...open(WATCH, session.startCursor), ...open(WATCH, session.startCursor)];
      for (const { stream } of replayed) await stream.take(STEPS_TO_THE_DROP_OFF + 1);
      for (const { texts, reasonOf, stream } of [...live, ...screens, ...replayed]) {
        const [note, closed] = [await nextEntry(stream), await nextEntry(stream)];
        expect(note).toMatchObject({
          applied: false,
          reason: reasonOf('It records a note of staff; the status did not change.'),
          statusInfo: texts('USER_DROPPED_OFF'),
        });
        expect(closed).toMatchObject({
          subStatus: 'FAILED_BY_MERCHANT',
          from: texts('USER_DROPPED_OFF'),
          statusInfo: { ...texts('FAILED_BY_MERCHANT'), waitingOn: 'NOBODY' },
        });
        if (closed.session) expect(closed.session.statusInfo).toMatchObject(texts('FAILED_BY_MERCHANT'));
      }
    },
  );
