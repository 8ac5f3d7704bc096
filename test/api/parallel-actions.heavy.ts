/** Mutations of staff that 20 clients send at once to two gateway processes: each takes effect once. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { SCENARIOS, type ScenarioName } from '../../src/sandbox/scenarios.ts';
import { expectSound, twentyTimes } from '../harness/acting.ts';
import { DATA_KEYS, eventually, freshDatabase } from '../harness/gateway.ts';
import { inMinutes, type Person, person } from '../harness/people.ts';
import { type GatewayProcess, startGatewayProcess, startSandboxProcess } from '../harness/process.ts';

const sandbox = await startSandboxProcess();
const databaseUrl = await freshDatabase();
const environment = { DATABASE_URL: databaseUrl, DATA_KEYS, ...sandbox.access };
const [one, two] = await Promise.all([startGatewayProcess(environment), startGatewayProcess(environment)]);
await sandbox.control('POST', '/webhook-url', { url: `${one.url}/webhooks/cashfree` });
const database = new pg.Pool({ connectionString: databaseUrl, max: 4 });
afterAll(() => database.end());

const post = async (url: string, body: object, headers: object = {}): Promise<any> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return response.json();
};

/** Signs a person in at a process. */
const signIn = ({ url }: GatewayProcess, sub: string, role: string): Promise<Person> =>
  person(
    {
      token: async (claims) => (await post(`${url}/dev/token`, claims)).token,
      graphql: (query, variables, headers) => post(`${url}/graphql`, { query, variables }, headers),
    },
    sub,
    role,
  );

/** The same person, signed in at both processes. */
const atBoth = async (role: string): Promise<[Person, Person]> => [
  await signIn(one, `the ${role}`, role),
  await signIn(two, `the ${role}`, role),
];
const people = {
  OPERATOR: await atBoth('OPERATOR'),
  AGENT: await atBoth('AGENT'),
  AUDITOR: await atBoth('AUDITOR'),
};
const [agent, auditor] = [
  await signIn(one, 'an earlier agent', 'AGENT'),
  await signIn(one, 'an earlier auditor', 'AUDITOR'),
];

interface Started {
  readonly id: string;
  readonly phone: string;
}
let count = 0;

/** Starts a session for a new person, and advances the sandbox to the first step with this sub-status. */
async function startAt(scenario: ScenarioName, subStatus: string): Promise<Started> {
  count += 1;
  const verificationId = `parallel-${count}.${scenario}`;
  const phone = String(7_000_000_000 + count);
  const [operator] = people.OPERATOR;
  const { id } = (await operator.start({ verificationId, user: { phone } })).session;
  const named = SCENARIOS[scenario];
  const place = 'steps' in named ? named.steps.findIndex((step) => step.subStatus === subStatus) : 0;
  if (place > 0) await sandbox.control('POST', `/verifications/${verificationId}/advance`, { steps: place });
  await eventually(async () => (await operator.look(id)).subStatus === subStatus);
  return { id, phone };
}

const APPROVED = { decision: 'APPROVED' };
const waiting = () => startAt('no-agent', 'NO_AGENT_FOUND');
const ended = () => startAt('awaits-review', 'AGENT_ENDED_CALL');
const approved = async () => {
  const started = await ended();
  await agent.act('recordAgentReview', started.id, APPROVED);
  return started;
};
const escalated = async () => {
  const started = await waiting();
  await agent.act('escalateSession', started.id, { reason: 'TECHNICAL' });
  return started;
};
const assigned = async () => {
  const started = await waiting();
  await people.OPERATOR[0].act('assignAgent', started.id, { agent: 'an agent' });
  return started;
};
const disputed = async () => {
  const started = await startAt('unheard-rejection', 'AGENT_ENDED_CALL');
  await agent.act('recordAgentReview', started.id, APPROVED);
  await auditor.act('recordAuditorReview', started.id, APPROVED);
  await sandbox.control('POST', `/verifications/parallel-${count}.unheard-rejection/advance`, { steps: 2 });
  await agent.ask('refreshSession', started.id);
  return started;
};

type Mutation = Parameters<Person['act']>[0];
interface Case {
  readonly mutation: Mutation;
  readonly role: keyof typeof people;
  readonly state: () => Promise<Started>;
  readonly input: object;
  /** Whether the input has the version of the session as `expectedVersion`. */
  readonly expectsVersion?: true;
  /** Message of the calls that are refused because another call took effect. */
  readonly refused: string;
  /** Table with a row for each call that took effect. */
  readonly table: 'annotation' | 'review' | 'meeting';
}

const NOTE = 'Seen.';
const CASES: readonly Case[] = [
  {
    mutation: 'closeSession',
    role: 'OPERATOR',
    state: waiting,
    input: { outcome: 'FAILED', reason: 'TECHNICAL' },
    refused: 'The session is closed already.',
    table: 'annotation',
  },
  {
    mutation: 'scheduleMeeting',
    role: 'OPERATOR',
    state: waiting,
    input: { startsAt: inMinutes(30) },
    // Without the version, each call would move the meeting of the call before it.
    expectsVersion: true,
    refused: 'Read it again',
    table: 'meeting',
  },
  {
    mutation: 'recordAgentReview',
    role: 'AGENT',
    state: ended,
    input: { ...APPROVED, callComplete: true, customerMessage: 'Thank you.' },
    refused: 'The agent has already decided.',
    table: 'review',
  },
  {
    mutation: 'recordAuditorReview',
    role: 'AUDITOR',
    state: approved,
    input: { decision: 'REJECTED', reasons: ['DOCUMENT_DOUBTED'], customerMessage: 'Please visit a branch.' },
    refused: 'The session is over.',
    table: 'review',
  },
  {
    mutation: 'escalateSession',
    role: 'AGENT',
    state: waiting,
    input: { reason: 'COMPLAINT' },
    refused: 'The session is escalated already',
    table: 'annotation',
  },
  {
    mutation: 'resolveEscalation',
    role: 'OPERATOR',
    state: escalated,
    input: { note: NOTE },
    refused: 'The session is not escalated.',
    table: 'annotation',
  },
  {
    mutation: 'resolveDispute',
    role: 'AUDITOR',
    state: disputed,
    input: { resolution: 'ACCEPT_PROVIDER', note: NOTE },
    refused: 'The session is not disputed.',
    table: 'annotation',
  },
  {
    mutation: 'unassignAgent',
    role: 'OPERATOR',
    state: assigned,
    input: {},
    refused: 'The session is not assigned.',
    table: 'annotation',
  },
];

const uuidOf = (globalId: string) => Buffer.from(globalId, 'base64url').toString('utf8').split(':').at(-1);

/** Returns the number of rows of a session in a table, and of transitions by mutations in its log. */
async function countOf(
  { id }: { readonly id: string },
  table: string,
): Promise<{ rows: number; log: number }> {
  const { rows } = await database.query(
    `select (select count(*)::int from ${table} where session_id = $1) as rows,
       (select count(*)::int from status_transition where session_id = $1 and source = 'MUTATION') as log`,
    [uuidOf(id)],
  );
  return rows[0];
}

const isSuccess = ({ __typename }: { __typename: string }) => /Success$/.test(__typename);
/** Returns the result without what may differ between a call and its repetition. */
const recorded = ({ replayed: _, session, ...rest }: any) => ({ ...rest, version: session.version });

describe.each(CASES.map((each) => [each.mutation, each] as const))('%s', (_mutation, each) => {
  const { mutation, role, state, input, refused, table } = each;
  const [here, there] = people[role];
  const inputOn = async ({ id }: Started) =>
    each.expectsVersion ? { ...input, expectedVersion: (await here.look(id)).version } : input;

  test('of 20 calls with their own keys, one takes effect, and 19 are refused with the reason', async () => {
    const session = await state();
    const before = await countOf(session, table);
    const call = await inputOn(session);

    const results = await twentyTimes(here, there, (who) => who.act(mutation, session.id, call));

    expect(results.filter(isSuccess)).toHaveLength(1);
    expect(results.filter(({ message }) => message?.includes(refused))).toHaveLength(19);
    expect(await countOf(session, table)).toEqual({ rows: before.rows + 1, log: before.log + 1 });
  });

  test('20 calls with the same key get the same result, which is recorded once', async () => {
    const session = await state();
    const before = await countOf(session, table);
    const call = { ...(await inputOn(session)), idempotencyKey: randomUUID() };

    const results = await twentyTimes(here, there, (who) => who.act(mutation, session.id, call));

    expect(results.filter(isSuccess)).toHaveLength(20);
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
    for (const result of results) expect(recorded(result)).toEqual(recorded(results[0]));
    expect(await countOf(session, table)).toEqual({ rows: before.rows + 1, log: before.log + 1 });
  });
});

describe('addNote', () => {
  test('20 notes with their own keys are all recorded, each with its own text', async () => {
    const session = await waiting();
    const before = await countOf(session, 'annotation');

    const results = await twentyTimes(...people.OPERATOR, (who, index) =>
      who.act('addNote', session.id, { note: `note ${index}` }),
    );

    expect(results.filter(isSuccess)).toHaveLength(20);
    expect(await countOf(session, 'annotation')).toEqual({ rows: before.rows + 20, log: before.log + 20 });
    const { notes } = await people.OPERATOR[0].query(
      'query ($id: ID!) { result: session(id: $id) { notes(first: 50) { nodes { text } } } }',
      { id: session.id },
    );
    const texts = notes.nodes.map(({ text }: { text: string }) => text);
    expect(texts.toSorted()).toEqual(Array.from({ length: 20 }, (_, index) => `note ${index}`).toSorted());
  });

  test('20 calls with the same key record one note', async () => {
    const session = await waiting();
    const before = await countOf(session, 'annotation');
    const call = { note: NOTE, idempotencyKey: randomUUID() };

    const results = await twentyTimes(...people.OPERATOR, (who) => who.act('addNote', session.id, call));

    expect(results.filter(({ replayed }) => replayed)).toHaveLength(19);
    expect(new Set(results.map(({ note }) => note.id)).size).toBe(1);
    expect(await countOf(session, 'annotation')).toEqual({ rows: before.rows + 1, log: before.log + 1 });
  });
});

describe('assignAgent', () => {
  test('of 20 assignments to different people, all are recorded, and the last one counts', async () => {
    const session = await waiting();
    const before = await countOf(session, 'annotation');

    const results = await twentyTimes(...people.OPERATOR, (who, index) =>
      who.act('assignAgent', session.id, { agent: `agent ${index}` }),
    );

    expect(results.filter(isSuccess)).toHaveLength(20);
    expect(await countOf(session, 'annotation')).toEqual({ rows: before.rows + 20, log: before.log + 20 });
    const { assignedAgent, assignments } = await people.OPERATOR[0].query(
      'query ($id: ID!) { result: session(id: $id) { assignedAgent assignments { agent } } }',
      { id: session.id },
    );
    expect(new Set(assignments.map(({ agent }: { agent: string }) => agent)).size).toBe(20);
    expect(assignedAgent).toBe(assignments.at(-1).agent);
  });

  test('20 calls with the same key record one assignment', async () => {
    const session = await waiting();
    const before = await countOf(session, 'annotation');
    const call = { agent: 'an agent', idempotencyKey: randomUUID() };

    const results = await twentyTimes(...people.OPERATOR, (who) => who.act('assignAgent', session.id, call));

    expect(results.filter(({ replayed }) => replayed)).toHaveLength(19);
    expect(new Set(results.map(({ assignment }) => assignment.id)).size).toBe(1);
    expect(await countOf(session, 'annotation')).toEqual({ rows: before.rows + 1, log: before.log + 1 });
  });
});

describe('labelSession', () => {
  test('20 calls that add the same tag record one change, and 20 with their own tags lose none', async () => {
    const session = await waiting();
    const { log } = await countOf(session, 'annotation');

    const same = await twentyTimes(...people.AGENT, (who) =>
      who.act('labelSession', session.id, { addTags: ['vip'] }),
    );
    expect(same.filter(isSuccess)).toHaveLength(20);
    expect((await countOf(session, 'annotation')).log).toBe(log + 1);
    const own = await twentyTimes(...people.AGENT, (who, index) =>
      who.act('labelSession', session.id, { metadata: [{ key: `key ${index}`, value: 'a' }] }),
    );

    expect(own.filter(isSuccess)).toHaveLength(20);
    expect((await countOf(session, 'annotation')).log).toBe(log + 21);
    const { tags, metadata } = await people.AGENT[0].query(
      'query ($id: ID!) { result: session(id: $id) { tags metadata { key } } }',
      { id: session.id },
    );
    expect([tags, metadata.length]).toEqual([['vip'], 20]);
  });
});

describe('claimNext', () => {
  test('20 calls of one person at two processes take one session, which is recorded once', async () => {
    await ended();
    const claimed = () =>
      database
        .query(`select count(*)::int as count from annotation where kind = 'CLAIM'`)
        .then(({ rows }) => rows[0].count);
    const before = await claimed();

    const results = await twentyTimes(...people.AGENT, (who) => who.claim('AGENT'));

    expect(results.filter(isSuccess)).toHaveLength(20);
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(results.map(({ session }) => session.id)).size).toBe(1);
    expect(await claimed()).toBe(before + 1);
  });

  test('20 people at two processes take 20 different sessions', async () => {
    for (let times = 0; times < 20; times += 1) await ended();
    const claimers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => signIn(index % 2 ? one : two, `claimer ${index}`, 'AGENT')),
    );

    const results = await Promise.all(claimers.map((who) => who.claim('AGENT')));

    expect(results.filter(isSuccess)).toHaveLength(20);
    expect(new Set(results.map(({ session }) => session.id)).size).toBe(20);
  });
});

describe('startSession with replacesSessionId', () => {
  const replace =
    ({ id, phone }: Started, next: (index: number) => string) =>
    (who: Person, index: number) =>
      who.start({ verificationId: next(index), user: { phone }, replacesSessionId: id });

  test('of 20 concurrent starts that replace the same session, one succeeds, and 19 get a problem with the path replacesSessionId', async () => {
    const session = await startAt('technical-error', 'TECHNICAL_ERROR');
    const { log } = await countOf(session, 'annotation');

    const results = await twentyTimes(
      ...people.OPERATOR,
      replace(session, (index) => `won.${index}`),
    );

    expect(results.filter(isSuccess)).toHaveLength(1);
    const paths = results.flatMap(({ problems }) => problems ?? []).map(({ path }) => path.join('.'));
    expect(paths).toEqual(Array.from({ length: 19 }, () => 'replacesSessionId'));
    expect(await people.OPERATOR[1].look(session.id)).toMatchObject({
      subStatus: 'REPLACED',
      replacedBy: { id: results.find(isSuccess).session.id },
    });
    expect((await countOf(session, 'annotation')).log).toBe(log + 1);
  });

  test('20 starts of the same session start it once', async () => {
    const session = await startAt('technical-error', 'TECHNICAL_ERROR');
    const { log } = await countOf(session, 'annotation');

    const results = await twentyTimes(
      ...people.OPERATOR,
      replace(session, () => 'same.1'),
    );

    expect(new Set(results.map((result) => result.session.id)).size).toBe(1);
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect((await countOf(session, 'annotation')).log).toBe(log + 1);
  });
});

test('20 calls of refreshSession record the remarks of the agent at most once', async () => {
  const session = await ended();
  const polls = async () => {
    const { rows } = await database.query(
      `select count(*)::int as count from status_transition where session_id = $1 and source = 'POLL'`,
      [uuidOf(session.id)],
    );
    return rows[0].count;
  };
  const before = await polls();

  const results = await twentyTimes(...people.AGENT, (who) => who.ask('refreshSession', session.id));

  expect(results.filter(isSuccess)).toHaveLength(20);
  // A poll of the gateway may have recorded them before.
  expect((await polls()) - before).toBeLessThanOrEqual(1);
  const { agentRemarks } = await people.AGENT[1].query(
    'query ($id: ID!) { result: session(id: $id) { agentRemarks } }',
    { id: session.id },
  );
  expect(agentRemarks).toContain('AGENT_ENDED_CALL');
});

test('after all of them, every audit chain is valid, every session equals the state computed from its log, and the feed has the whole log', async () => {
  await expectSound({ database, databaseUrl });
});
