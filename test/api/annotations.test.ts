/** Stories of notes and escalations: what staff record about a session without changing its status. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { auditOf } from '../harness/audit.ts';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { type Person, person } from '../harness/people.ts';

let gateway: Gateway;
let operator: Person;
let agent: Person;
let count = 0;

beforeAll(async () => {
  gateway = await bootGateway();
  operator = await person(gateway, 'olga', 'OPERATOR');
  agent = await person(gateway, 'ravi', 'AGENT');
});

/** Starts a session of its own for a test. */
async function start() {
  count += 1;
  return gateway.start(`annotated.${count}`, {
    user: { phone: `98887766${String(count).padStart(2, '0')}` },
  });
}

const LIVE = `subscription ($id: ID!) { sessionLive(sessionId: $id) {
  __typename ... on SessionSnapshot { session { version } }
  ... on StatusTransition { sequence subStatus applied changes reason actor source session { version } } } }`;

const read = async (id: string, selection: string, sub = 'olga', role = 'OPERATOR', own: string[] = []) => {
  const authorization = `Bearer ${await gateway.token({ sub, roles: [role], verification_ids: own })}`;
  const { data } = await gateway.graphql(
    `query ($id: ID!) { session(id: $id) { ${selection} } }`,
    { id },
    { authorization },
  );
  return data.session;
};

const isProven = async () => (await auditOf(gateway.databaseUrl).verify()).findings;

describe('addNote', () => {
  test('a note is recorded in the log and the audit chain, is streamed, and changes neither status nor version', async () => {
    const { id } = await start();
    const screen = gateway.subscribe(LIVE, { id });
    await screen.take(2);

    const added = await operator.act('addNote', id, { note: 'He called: his son is ill.' });

    expect(added).toMatchObject({
      __typename: 'AddNoteSuccess',
      replayed: false,
      note: { text: 'He called: his son is ill.', author: 'olga' },
      session: { subStatus: 'LINK_GENERATED', version: 1 },
    });
    const [frame] = await screen.take(1);
    expect(frame).toMatchObject({
      ...{ sequence: 2, subStatus: 'LINK_GENERATED', applied: false, changes: ['NOTES'], source: 'MUTATION' },
      ...{ reason: 'It records a note of staff; the status did not change.', session: { version: 1 } },
    });
    expect(JSON.stringify(frame)).not.toContain('son is ill');
    expect(await isProven()).toEqual([]);
  });

  test('staff list notes newest first, page by page; the customer gets null', async () => {
    const { id, verificationId } = await start();
    for (const note of ['first', 'second', 'third']) await operator.act('addNote', id, { note });
    const page = (await read(id, 'notes(first: 2) { nodes { text } pageInfo { hasNextPage endCursor } }'))
      .notes;
    const rest = await read(id, `notes(first: 2, after: "${page.pageInfo.endCursor}") { nodes { text } }`);

    expect(page.nodes.map((each: any) => each.text)).toEqual(['third', 'second']);
    expect(page.pageInfo.hasNextPage).toBe(true);
    expect(rest.notes.nodes).toEqual([{ text: 'first' }]);
    const other = await start();
    const token = await gateway.token({ sub: 'olga', roles: ['OPERATOR'] });
    const { errors } = await gateway.graphql(
      'query ($id: ID!, $after: String) { session(id: $id) { notes(first: 2, after: $after) { nodes { id } } } }',
      { id: other.id, after: page.pageInfo.endCursor },
      { authorization: `Bearer ${token}` },
    );
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    const own = [verificationId];
    expect(
      await read(id, 'notes(first: 2) { nodes { text } } escalation { id }', 'asha', 'CUSTOMER', own),
    ).toEqual({
      notes: null,
      escalation: null,
    });
  });

  test('addNote with a used idempotency key returns the first note, or refuses the call if its text differs', async () => {
    const { id } = await start();
    const idempotencyKey = randomUUID();
    const calls = await Promise.all(
      Array.from({ length: 20 }, () => operator.act('addNote', id, { note: 'once', idempotencyKey })),
    );

    expect(new Set(calls.map(({ note }) => note.id)).size).toBe(1);
    expect(calls.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await operator.act('addNote', id, { note: 'twice', idempotencyKey })).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    expect((await read(id, 'notes(first: 9) { nodes { text } }')).notes.nodes).toHaveLength(1);
  });

  test('addNote refuses an empty, an invisible and a too long text, and names the path of the field', async () => {
    const { id } = await start();
    for (const note of ['', '\u200b', 'x'.repeat(2001)])
      expect(await operator.act('addNote', id, { note })).toMatchObject({
        code: 'INVALID_INPUT',
        problems: [{ path: ['note'] }],
      });
  });

  test('a subscription with a status filter gets no transition that records a note, although such a transition has the status of its session', async () => {
    const { id } = await start();
    const filter = { subStatus: ['LINK_GENERATED', 'AADHAAR_VERIFICATION_SUCCESS'] };
    const watch =
      'subscription ($id: ID!, $filter: TransitionFilter) { statusTransitions(sessionId: $id, filter: $filter) { sequence subStatus } }';
    const heard = gateway.subscribe(LIVE, { id });
    await heard.take(2);
    const stream = gateway.subscribe(watch, { id, filter });
    const next = stream.next();
    await operator.act('addNote', id, { note: 'He called.' });
    await heard.take(1);
    const moved = gateway.advance(`annotated.${count}`, 1);

    expect(await next).toMatchObject({ sequence: 3, subStatus: 'AADHAAR_VERIFICATION_SUCCESS' });
    await moved;
  });
});

describe('escalateSession', () => {
  test('a session stays escalated until staff resolve the escalation, and its field `escalation` shows the open one', async () => {
    const { id, verificationId } = await start();
    expect((await operator.look(id)).availableActions).toContain('ESCALATE');

    const escalated = await operator.act('escalateSession', id, {
      reason: 'CUSTOMER_DROPPED_OFF',
      note: 'Three times at the same minute.',
    });

    expect(escalated).toMatchObject({
      __typename: 'EscalateSessionSuccess',
      escalation: {
        ...{ reason: 'CUSTOMER_DROPPED_OFF', note: 'Three times at the same minute.', escalatedBy: 'olga' },
        ...{ resolution: null, resolvedBy: null, resolvedAt: null },
      },
      session: { version: 1 },
    });
    expect(escalated.session.availableActions).not.toContain('ESCALATE');
    expect(escalated.session.availableActions).toContain('RESOLVE_ESCALATION');
    expect(await agent.act('escalateSession', id, { reason: 'TECHNICAL' })).toMatchObject({
      code: 'ACTION_NOT_ALLOWED',
      message: 'The session is escalated already: resolve the escalation first.',
    });

    const resolved = await agent.act('resolveEscalation', id, { note: 'A power cut in his street.' });

    expect(resolved.escalation).toMatchObject({
      ...{ id: escalated.escalation.id, resolvedBy: 'ravi', resolution: 'A power cut in his street.' },
    });
    expect(await read(id, 'escalation { id } escalations { reason resolution }')).toEqual({
      escalation: null,
      escalations: [{ reason: 'CUSTOMER_DROPPED_OFF', resolution: 'A power cut in his street.' }],
    });
    const customer = await read(id, 'escalations { reason }', 'asha', 'CUSTOMER', [verificationId]);
    expect(customer.escalations).toBe(null);
    expect(await isProven()).toEqual([]);
  });

  test('an escalation and its resolution are streamed, in order and without their texts', async () => {
    const { id } = await start();
    const screen = gateway.subscribe(LIVE, { id });
    await screen.take(2);
    await operator.act('escalateSession', id, { reason: 'OTHER', note: 'Her voice was a recording.' });
    await operator.act('resolveEscalation', id, { note: 'It was her own voice.' });

    const frames = await screen.take(2);
    expect(frames.map(({ sequence, changes, applied }) => ({ sequence, changes, applied }))).toEqual([
      { sequence: 2, changes: ['ESCALATION'], applied: false },
      { sequence: 3, changes: ['ESCALATION'], applied: false },
    ]);
    expect(JSON.stringify(frames)).not.toMatch(/voice|OTHER/);
  });

  test('escalateSession needs a note for the reason OTHER, and resolveEscalation is refused for a session that is not escalated', async () => {
    const { id } = await start();
    expect(await operator.act('escalateSession', id, { reason: 'OTHER' })).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: ['note'], message: 'must not be empty if the reason is OTHER' }],
    });
    expect(await operator.act('resolveEscalation', id, { note: 'Nothing.' })).toMatchObject({
      code: 'ACTION_NOT_ALLOWED',
      message: 'The session is not escalated.',
    });
  });

  test('customers and viewers may neither add notes to a session nor escalate it', async () => {
    const { id, verificationId } = await start();
    const customer = await person(gateway, 'asha', 'CUSTOMER', [verificationId]);
    const viewer = await person(gateway, 'vera', 'VIEWER');
    for (const who of [customer, viewer])
      for (const [action, input] of [
        ['addNote', { note: 'x' }],
        ['escalateSession', { reason: 'TECHNICAL' }],
        ['resolveEscalation', { note: 'x' }],
      ] as const)
        expect((await who.act(action, id, input)).errors?.[0].extensions.code).toBe('FORBIDDEN');
  });
});
