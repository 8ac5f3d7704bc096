/**
 * Carries out advice: takes a session to a status through the sandbox, performs an action of the status's advice, and
 * checks what viewers see, what is streamed, what the log and the audit chain record, and what is refused.
 */
import { expect } from 'vitest';
import type { Role } from '../../src/domain/access.ts';
import type { SessionAction } from '../../src/domain/session.ts';
import { SCENARIOS, type ScenarioName } from '../../src/sandbox/scenarios.ts';
import { type Audit, auditOf } from './audit.ts';
import { eventually, type Gateway, type Stream } from './gateway.ts';
import { type Person, person } from './people.ts';

/** Roles that may perform each action, written out again, so that a change of the access table is noticed. */
export const MAY = {
  SCHEDULE_MEETING: ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  CANCEL_MEETING: ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  RECORD_AGENT_REVIEW: ['AGENT', 'ADMIN'],
  RECORD_AUDITOR_REVIEW: ['AUDITOR', 'ADMIN'],
  REFRESH: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  REQUEST_RECORDING: ['AGENT', 'AUDITOR', 'ADMIN'],
  CREATE_SDK_TOKEN: ['CUSTOMER', 'OPERATOR', 'ADMIN'],
  CLOSE: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  REPLACE: ['OPERATOR', 'ADMIN'],
  RESOLVE_DISPUTE: ['AUDITOR', 'ADMIN'],
  ADD_NOTE: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  ESCALATE: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  RESOLVE_ESCALATION: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  ASSIGN: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  UNASSIGN: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  LABEL: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
  NOTIFY: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
} as const satisfies Record<SessionAction, readonly Role[]>;

export const EVERY_ROLE = ['CUSTOMER', 'VIEWER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'] as const;

type Mutation = Parameters<Person['act']>[0] | 'startSession' | 'refreshSession';

/** One action of an advice, and everything that must follow from it. */
export interface Deed {
  readonly action: SessionAction;
  readonly mutation: Mutation;
  /** Input, except the id of the session and the idempotency key. */
  readonly input: object;
  /** Fields of the mutation's result. */
  readonly result: object;
  /** Transitions that `sessionLive` sends, in order. */
  readonly frames: readonly {
    readonly subStatus: string;
    readonly applied: boolean;
    readonly changes: readonly string[];
    readonly source?: 'POLL';
  }[];
  /** Entries that the audit chain of the session gets, in order. */
  readonly entries: readonly string[];
  /** True if the action stays possible, for instance because a meeting can be moved. */
  readonly staysOffered?: true;
  /** Message with which the action is refused afterwards, if it is not offered any more. */
  readonly refusedAfterwards?: string;
  /** Input that is refused before the action is performed, with the path of its problem or the message. */
  readonly refusal?: { readonly input: object; readonly path?: string; readonly message?: string };
  /** Roles that are offered the action, if in this status it is not offered to all that usually may. */
  readonly may?: readonly Role[];
  /** Further checks, after the action. */
  readonly after?: (story: Story) => Promise<void>;
}

export interface Story {
  readonly id: string;
  readonly verificationId: string;
  readonly phone: string;
  readonly gateway: Gateway;
  readonly audit: Audit;
  /** One person for each role. */
  readonly people: Record<Role, Person>;
}

let count = 0;

/** Starts a session for a new person, and advances the sandbox to the first step with this sub-status. */
export async function reach(gateway: Gateway, scenario: ScenarioName, subStatus: string): Promise<Story> {
  count += 1;
  const verificationId = `story-${count}.${scenario}`;
  const phone = String(7_000_000_000 + count);
  const { id } = await gateway.start(verificationId, { user: { phone, name: 'Asha Rao' } });
  const people = await Promise.all(
    EVERY_ROLE.map(async (role) => {
      const own = role === 'CUSTOMER' ? [verificationId] : [];
      return [role, await person(gateway, subOf(role), role, own)] as const;
    }),
  );
  const audit = auditOf(gateway.databaseUrl);
  const story: Story = {
    id,
    verificationId,
    phone,
    gateway,
    audit,
    people: Object.fromEntries(people) as never,
  };
  await advanceTo(story, scenario, subStatus);
  return story;
}

export const subOf = (role: Role): string => `the ${role}`;

const places = new Map<string, number>();

/** Advances the sandbox to the next step of the scenario with this sub-status, and waits until the session has it. */
export async function advanceTo(
  { gateway, verificationId, id, people }: Story,
  scenario: ScenarioName,
  subStatus: string,
): Promise<void> {
  const named = SCENARIOS[scenario];
  if (!('steps' in named)) throw new Error(`${scenario} has no fixed steps`);
  const at = places.get(verificationId) ?? 0;
  const place = named.steps.findIndex((step, index) => index >= at && step.subStatus === subStatus);
  if (place < 0) throw new Error(`${scenario} has no further step ${subStatus}`);
  places.set(verificationId, place);
  if (place > at) await gateway.advance(verificationId, place - at);
  const lost = 'webhookLost' in (named.steps[place] ?? {});
  if (!lost)
    await eventually(async () => {
      const { lastSubStatus } = await people.ADMIN.query(PROVIDER_STATE, { id });
      return lastSubStatus === subStatus || lastSubStatus === 'UNRECOGNIZED';
    });
}

const PROVIDER_STATE = 'query ($id: ID!) { result: session(id: $id) { lastSubStatus: providerSubStatus } }';

const ADVICE = `query ($id: ID!) { result: session(id: $id) {
  subStatus statusInfo { recommendedAction explanation waitingOn terminal customerMessage hindi: customerMessage(locale: HI) }
} }`;

/** Returns the meaning of the session's status, as a person reads it. */
export const readAdvice = async ({ id, people }: Story, role: Role): Promise<any> => {
  const { subStatus, statusInfo } = await people[role].query(ADVICE, { id });
  return { subStatus, ...statusInfo };
};

const LIVE = `subscription ($id: ID!) { sessionLive(sessionId: $id) {
  __typename
  ... on SessionSnapshot { cursor }
  ... on StatusTransition { sequence subStatus applied changes source actor } } }`;

/** Returns the number of rows of the session in each table that an action may write to. */
async function countRows({ gateway, id }: Story): Promise<object> {
  const session = uuidOf(id);
  const count = (table: string) => `(select count(*)::int from ${table} where session_id = $1) as ${table}`;
  const tables = ['status_transition', 'annotation', 'meeting', 'review', 'audit_entry', 'idempotency_key'];
  const { rows } = await gateway.database.query(`select ${tables.map(count).join(', ')}`, [session]);
  return rows[0];
}

export const uuidOf = (globalId: string): string =>
  Buffer.from(globalId, 'base64url').toString('utf8').split(':').at(-1) as string;

const readEntries = async ({ gateway, id }: Story): Promise<string[]> => {
  const { rows } = await gateway.database.query(
    'select kind from audit_entry where session_id = $1 order by number',
    [uuidOf(id)],
  );
  return rows.map(({ kind }) => kind);
};

/** Returns what the audit finds wrong with the session's chain; null if it is intact. */
export const findingOf = ({ audit, id }: Story): Promise<string | null> => audit.findingOf(uuidOf(id));

/** Performs a mutation on the session of a story. The key is the idempotency key, or names the new session. */
export function perform(
  { id, people, phone }: Story,
  { mutation }: Pick<Deed, 'mutation'>,
  role: Role,
  key: string,
  input: object,
): Promise<any> {
  const who = people[role];
  if (mutation === 'startSession')
    return who.start({ verificationId: `next.${key}`, user: { phone }, replacesSessionId: id, ...input });
  if (mutation === 'refreshSession') return who.ask('refreshSession', id);
  return who.act(mutation, id, { idempotencyKey: key, ...input });
}

/** Performs an action as a person with this role, and expects everything that the deed says. Returns the result. */
export async function carryOut(story: Story, deed: Deed, role: Role): Promise<any> {
  const { action, input, frames, entries } = deed;
  const may = deed.may ?? MAY[action];
  const key = crypto.randomUUID();
  const before = await countRows(story);

  // The roles of the table are offered the action, and no others; others are refused.
  for (const each of EVERY_ROLE) {
    const { availableActions } = await story.people[each].look(story.id);
    expect(availableActions.includes(action), `${each} is offered ${action}`).toBe(may.includes(each));
    if (may.includes(each)) continue;
    const refused = await perform(story, deed, each, crypto.randomUUID(), input);
    const usual: readonly Role[] = MAY[action];
    expect(refused, `${each} performs ${action}`).toMatchObject(
      usual.includes(each)
        ? { code: 'ACTION_NOT_ALLOWED' }
        : { errors: [{ extensions: { code: 'FORBIDDEN' } }] },
    );
  }
  await expectRefusal(story, deed, role);
  expect(await countRows(story), 'refusals recorded something').toEqual(before);

  const watcher = story.gateway.subscribe(LIVE, { id: story.id });
  expect((await watcher.next()).__typename).toBe('SessionSnapshot');
  const chain = await readEntries(story);
  const done = await perform(story, deed, role, key, input);
  expect(done).toMatchObject({ __typename: expect.stringMatching(/Success$/), ...deed.result });
  // A customer is recorded under a pseudonym.
  const author = role === 'CUSTOMER' ? expect.stringMatching(/^customer:/) : subOf(role);
  expect(await takeTransitions(watcher, frames.length)).toEqual(
    frames.map((frame) => ({
      ...{ __typename: 'StatusTransition', sequence: expect.any(Number), source: 'MUTATION', ...frame },
      actor: frame.source ? null : author,
    })),
  );
  await watcher.stop();
  expect((await readEntries(story)).slice(chain.length)).toEqual(entries);
  expect(await findingOf(story)).toBeNull();

  await expectReplay(story, deed, role, key, done);
  await deed.after?.(story);
  await expectAfterwards(story, deed, role);
  return done;
}

async function expectRefusal(story: Story, deed: Deed, role: Role): Promise<void> {
  const { refusal, input, mutation } = deed;
  if (!refusal) return;
  const refused = await perform(story, deed, role, crypto.randomUUID(), { ...input, ...refusal.input });
  if (refusal.path !== undefined)
    expect(refused).toMatchObject({ code: 'INVALID_INPUT', problems: [{ path: refusal.path.split('.') }] });
  else
    expect(refused, mutation).toMatchObject({
      message: expect.stringContaining(refusal.message as string),
    });
}

async function takeTransitions(watcher: Stream<any>, number: number): Promise<object[]> {
  const taken: object[] = [];
  while (taken.length < number) {
    const frame = await watcher.next();
    if (frame.__typename !== 'Heartbeat') taken.push(frame);
  }
  return taken;
}

/** Expects the same call again to return the same result and to record nothing. */
async function expectReplay(story: Story, deed: Deed, role: Role, key: string, done: any): Promise<void> {
  // refreshSession has no key: a second answer of the provider is not new.
  const again = deed.mutation === 'refreshSession' ? { changed: false } : { replayed: true };
  const before = await countRows(story);
  expect(await perform(story, deed, role, key, deed.input)).toEqual({ ...done, ...again });
  expect(await countRows(story), 'the repetition recorded something').toEqual(before);
}

async function expectAfterwards(story: Story, deed: Deed, role: Role): Promise<void> {
  const { action, staysOffered, refusedAfterwards } = deed;
  const { availableActions, blockedActions } = await story.people[role].look(story.id);
  expect(availableActions.includes(action), `${action} is offered afterwards`).toBe(staysOffered ?? false);
  if (staysOffered) return;
  const before = await countRows(story);
  const refused = await perform(story, deed, role, crypto.randomUUID(), deed.input);
  const message = refused.message ?? '';
  const reason = blockedActions.find((each: any) => each.action === action)?.reason;
  expect(reason).toContain(refusedAfterwards);
  if (deed.mutation === 'startSession')
    expect(refused.problems).toMatchObject([{ path: ['replacesSessionId'] }]);
  else expect([refused.code, message]).toEqual(['ACTION_NOT_ALLOWED', reason]);
  expect(await countRows(story), 'the refusal recorded something').toEqual(before);
}
