/**
 * Test helper: a gateway whose texts contain marks, and one caller per role. Each response is searched for
 * marks that its caller must not see.
 */
import { randomUUID } from 'node:crypto';
import { type GraphQLObjectType, getNamedType } from 'graphql';
import { expect } from 'vitest';
import { ROLES, type Role } from '../../src/domain/access.ts';
import { call, eachField, everythingOf, type Given, schema } from './everything.ts';
import { setFaults } from './faults.ts';
import {
  type Answer,
  bootGateway,
  eventually,
  type Gateway,
  STEPS_TO_THE_END_OF_THE_CALL,
} from './gateway.ts';
import { inMinutes } from './people.ts';
import { sendTo, startReceiver } from './receiver.ts';

/** Role of the caller's token. NONE is a token without a role. */
export type Caller = Role | 'NONE';
export const CALLERS: readonly Caller[] = [...(Object.keys(ROLES) as Role[]), 'NONE'];

const OWN = 'own.awaits-review';
const OTHER = 'other-marker.awaits-review';
const PHONES = ['7000000042', '7000000099'];
const NAMES = ['NAME-MARKER', 'OTHER-NAME'];
const NOBODYS = Buffer.from('VkycSession:01a20a00-207c-77e4-bbd3-8de9fa006fe3').toString('base64url');

export const subOf = (caller: Caller): string => `${caller.toLowerCase()}-marker`;
export const OWN_WORDS = 'own words';
export const mutationType = schema.getMutationType() as GraphQLObjectType;

export interface Marked {
  readonly gateway: Gateway;
  /** Argument values that name the customer's own session. */
  readonly own: Given & { readonly id: string; readonly after: string };
  readonly other: Given & { readonly id: string };
  headersOf(caller: Caller): { authorization: string };
  /** Sends a query over HTTP. Fails the test if the response contains a mark that the caller must not see. */
  ask(caller: Caller, query: string): Promise<Answer>;
  /** Checks a response that was received over another transport for marks that the caller must not see. */
  look(caller: Caller, answer: unknown, asked: string): void;
  /** Returns all values of a field that a caller has received so far. */
  seen(caller: Caller, type: string, field: string): unknown[];
  hasMet(type: string): boolean;
}

/**
 * Boots a gateway, and runs a session to its end with actions of many roles, so that every field gets a value. Names,
 * texts and ids of people contain marks.
 */
export async function bootMarked(): Promise<Marked> {
  const receiver = await startReceiver();
  const gateway = await bootGateway({
    // By default, compiled execution is not compared with graphql-js, because the comparison takes half of the time of
    // these tests.
    bothWays: process.env.COMPARE_EVERYTHING === '1',
    // A calendar around the clock.
    environment: {
      ...{ MEETING_HOURS: 'Mon-Sun 00:00-24:00', MEETING_CAPACITY: '1', DEADLINES: 'AGENT=60' },
      ...sendTo({ core: receiver }),
    },
  });
  const tokens = new Map<Caller, string>();
  for (const caller of CALLERS) {
    const roles = caller === 'NONE' ? [] : [caller];
    tokens.set(caller, await gateway.token({ sub: subOf(caller), roles, verification_ids: [OWN] }));
  }
  // Drops webhooks: if a webhook arrived before the response to the start (race), the session would have no creator.
  await setFaults(gateway, { drop: {} });
  const own = await gateway.start(OWN, {
    user: { phone: PHONES[0], name: NAMES[0], email: 'email-marker@example.com' },
  });
  const other = await gateway.start(OTHER, { user: { phone: PHONES[1], name: NAMES[1] } });
  await setFaults(gateway, null);
  const { data } = await gateway.graphql(
    `{ own: session(id: "${own.id}") { link user { id userId } }
       other: session(id: "${other.id}") { link user { id userId } } }`,
  );
  const staff = CALLERS.filter((caller) => caller !== 'CUSTOMER' && caller !== 'NONE');
  const secrets: Partial<Record<Caller, string[]>> = {
    CUSTOMER: [
      ...[
        ...staff.map(subOf),
        'REASON-MARKER',
        'REMARKS-MARKER',
        'NOTE-MARKER',
        'LABEL-MARKER',
        'other-marker',
      ],
      ...['agent says', 'CUSTOMER_PROMPTED'],
      ...[PHONES[1] as string, 'OTHER-NAME', data.other.link, data.other.user.userId],
    ],
    VIEWER: [...PHONES, ...NAMES, 'email-marker', data.own.link, data.other.link],
    NONE: [...PHONES, ...NAMES, 'email-marker', data.own.link, data.other.link, ...staff.map(subOf)],
  };
  const shown = new Map<string, unknown[]>();
  const met = new Set<string>();

  const marked: Marked = {
    gateway,
    own: givenOf(own, data.own.user),
    other: givenOf(other, data.other.user),
    headersOf: (caller) => ({ authorization: `Bearer ${tokens.get(caller)}` }),
    look(caller, answer, asked) {
      const text = JSON.stringify(answer);
      for (const secret of secrets[caller] ?? [])
        expect(text, `${caller} received ${secret} for ${asked}`).not.toContain(secret);
      eachField(answer, (type, field, value) => {
        const key = `${caller} ${type}.${field}`;
        met.add(type);
        shown.set(key, [...(shown.get(key) ?? []), value]);
      });
    },
    async ask(caller, query) {
      const answer = await gateway.graphql(query, {}, marked.headersOf(caller));
      const codes = (answer.errors ?? []).map((error) => error.extensions.code);
      expect(codes, query).not.toContain('GRAPHQL_VALIDATION_FAILED');
      marked.look(caller, answer, query);
      return answer;
    },
    seen: (caller, type, field) => shown.get(`${caller} ${type}.${field}`) ?? [],
    hasMet: (type) => met.has(type),
  };
  await live(marked, other.id);
  return marked;
}

function givenOf(session: { id: string; verificationId?: string; startCursor: string }, user: any) {
  const { id, verificationId, startCursor: cursor } = session;
  const ids = { id, sessionId: id, replacesSessionId: id, ids: [id, user.id], userId: user.userId };
  return {
    ...ids,
    ...{ from: inMinutes(-60), to: inMinutes(60) },
    verificationId,
    verificationIdPrefix: verificationId,
    after: cursor,
    before: cursor,
    first: 20,
  };
}

async function live({ gateway, own, ask }: Marked, otherId: string): Promise<void> {
  const act = (caller: Caller, name: string, given: Given = {}) => {
    const field = mutationType.getFields()[name];
    if (!field) throw new Error(`The schema has no mutation ${name}`);
    const usual = { idempotencyKey: randomUUID(), expectedVersion: undefined, languages: ['hi'] };
    const input = { ...usual, sessionId: own.id, ...given };
    const everything = everythingOf(getNamedType(field.type), 2, { first: 20 });
    return ask(caller, `mutation { ${call(field, input)} ${everything} }`);
  };
  const startsAt = nextSlot();
  await act('OPERATOR', 'scheduleMeeting', { startsAt: inMinutes(30) });
  await act('CUSTOMER', 'scheduleMeeting', { startsAt, reason: OWN_WORDS });
  await act('CUSTOMER', 'cancelMeeting', { reason: OWN_WORDS });
  await act('OPERATOR', 'scheduleMeeting', { startsAt, reason: 'REASON-MARKER' });
  await act('OPERATOR', 'cancelMeeting', { reason: 'REASON-MARKER' });
  await act('OPERATOR', 'scheduleMeeting', { startsAt, reason: 'REASON-MARKER' });
  await act('OPERATOR', 'refreshSession');
  for (const caller of ['CUSTOMER', 'OPERATOR', 'ADMIN'] as const) await act(caller, 'createSdkToken');
  await act('OPERATOR', 'notifyCustomer', { kind: 'LINK', text: 'NOTE-MARKER' });
  await gateway.advance(OWN, STEPS_TO_THE_END_OF_THE_CALL);
  await eventually(async () => {
    const { data } = await ask('ADMIN', `{ session(id: "${own.id}") { subStatus } }`);
    return data.session.subStatus === 'AGENT_ENDED_CALL';
  });
  for (const caller of ['AGENT', 'AUDITOR', 'ADMIN'] as const) await act(caller, 'requestRecording');
  await act('OPERATOR', 'addNote', { note: 'NOTE-MARKER' });
  await act('AGENT', 'escalateSession', { reason: 'OTHER', note: 'NOTE-MARKER' });
  await act('OPERATOR', 'assignAgent', { agent: subOf('AGENT') });
  await act('AGENT', 'claimNext', { queue: 'AGENT' });
  await act('ADMIN', 'claimNext', { queue: 'AUDITOR' });
  const work = everythingOf(schema.getType('Assignment') as never, 1, {});
  for (const caller of CALLERS)
    await ask(
      caller,
      `{ session(id: "${own.id}") { __typename assignedAgent assignedAt assignedUntil assignments ${work} dueAt overdue } }`,
    );
  await act('AGENT', 'unassignAgent');
  await act('OPERATOR', 'labelSession', { value: 'LABEL-MARKER', addTags: ['LABEL-MARKER'] });
  // Refreshes, because only the provider's answer to a poll has the remarks of the provider's agent.
  await act('OPERATOR', 'refreshSession');
  const words = { remarks: 'REMARKS-MARKER', customerMessage: 'for the customer' };
  await act('AGENT', 'recordAgentReview', {
    ...words,
    decision: 'APPROVED',
    reasons: [],
    callComplete: true,
  });
  await act('AUDITOR', 'recordAuditorReview', {
    ...words,
    decision: 'REJECTED',
    reasons: ['CUSTOMER_PROMPTED'],
  });

  await gateway.webhook({
    event_time: new Date(Date.now() + 120_000).toISOString(),
    data: { verification_id: OWN, status: 'AUDITOR_REVIEWED', sub_status: 'AUDITOR_APPROVED' },
  });
  await eventually(async () => {
    const { data } = await ask('ADMIN', `{ session(id: "${own.id}") { disputed } }`);
    return data.session.disputed;
  });
  await act('OPERATOR', 'closeSession', {
    ...{ sessionId: otherId, outcome: 'REJECTED', reason: 'OTHER', note: 'NOTE-MARKER' },
  });
  await act('ADMIN', 'resolveDispute', {
    expectedSubStatus: undefined,
    resolution: 'KEEP_OURS',
    note: 'NOTE-MARKER',
  });
  await act('AUDITOR', 'resolveEscalation', { note: 'NOTE-MARKER' });
  await act('OPERATOR', 'escalateSession', { reason: 'COMPLAINT', note: 'NOTE-MARKER' });
  await act('ADMIN', 'scheduleMeeting', { startsAt });
  await act('ADMIN', 'scheduleMeeting', { startsAt, expectedVersion: 99 });
  await act('ADMIN', 'scheduleMeeting', { startsAt, sessionId: NOBODYS });
  await act('ADMIN', 'scheduleMeeting', { startsAt, idempotencyKey: '' });
  await eventually(async () => {
    const { data } = await ask(
      'ADMIN',
      `mutation { replayWebhooks(input: { endpoint: "core", state: DONE }) {
         __typename ... on ReplayWebhooksSuccess { queued mayHaveMore } } }`,
    );
    return data.replayWebhooks.__typename === 'ReplayWebhooksSuccess';
  });
  const delivery = everythingOf(schema.getType('WebhookDelivery') as never, 1, {});
  for (const caller of CALLERS)
    await ask(
      caller,
      `{ session(id: "${own.id}") { __typename webhookDeliveries(first: 5) {
         __typename nodes ${delivery} edges { __typename cursor node { __typename id } } } } }`,
    );
  // Reads nullable fields, which the generated queries (`routesFrom`) do not follow.
  for (const caller of CALLERS) {
    await ask(caller, `{ session(id: "${otherId}") { __typename closure { __typename id note closedBy } } }`);
    await ask(
      caller,
      `{ session(id: "${own.id}") { __typename notes(first: 5) { __typename edges { __typename cursor node { __typename id text author } } } } }`,
    );
  }
  const result = everythingOf(getNamedType(mutationType.getFields().startSession!.type), 2, { first: 20 });
  const next = '{ verificationId: "next.1", user: { phone: "7000000042" } }';
  const { data } = await ask('ADMIN', `mutation { startSession(input: ${next}) ${result} }`);

  const note = 'REMARKS-MARKER';
  await act('OPERATOR', 'addNote', { note });
  await act('OPERATOR', 'escalateSession', { note });
  await act('ADMIN', 'resolveEscalation', { note });
  await act('ADMIN', 'escalateSession', { note });
  await act('ADMIN', 'closeSession', { note, sessionId: data.startSession.session.id });
  await gateway.webhook({
    event_time: new Date(Date.now() + 60_000).toISOString(),
    data: { verification_id: OWN, status: 'AUDITOR_REVIEWED', sub_status: 'AUDITOR_APPROVED' },
  });
  await eventually(async () => {
    const { data } = await ask('ADMIN', `{ session(id: "${own.id}") { disputed } }`);
    return data.session.disputed;
  });
  await act('ADMIN', 'resolveDispute', { note });
  // Selects nullable fields, which the generated queries (`routesFrom`) do not follow.
  const notes = everythingOf(schema.getType('NoteConnection') as never, 3, {});
  const notifications = everythingOf(schema.getType('CustomerNotificationConnection') as never, 3, {});
  for (const caller of CALLERS) {
    await ask(caller, `{ session(id: "${own.id}") { __typename notes(first: 5) ${notes} } }`);
    await ask(caller, `{ session(id: "${own.id}") { __typename notifications(first: 5) ${notifications} } }`);
  }
}

/** Returns the start of a slot of half an hour that begins in half an hour or later. */
function nextSlot(): string {
  const slotMs = 30 * 60_000;
  return new Date(Math.ceil(Date.parse(inMinutes(30)) / slotMs) * slotMs).toISOString();
}
