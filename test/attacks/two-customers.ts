/**
 * Test data: the customer who attacks, a foreign session (of another customer) with all its objects, and ids of a
 * session that does not exist.
 */
import { randomUUID } from 'node:crypto';
import { drizzle } from 'drizzle-orm/node-postgres';
import { readLogIdentity } from '../../src/db/sessions/feed.ts';
import { createCursorCodec, getSessionStartPosition } from '../../src/feed/cursor.ts';
import { bootGateway, eventually, type Gateway, STEPS_TO_THE_END_OF_THE_CALL } from '../harness/gateway.ts';
import { inMinutes, type Person, person } from '../harness/people.ts';

const NAMES = [
  ...['verificationId', 'id', 'userId', 'user', 'transition', 'meeting', 'review', 'cursor'],
  /** `place`: cursor of the session in lists. `key`: the idempotency key with which its meeting was booked. */
  ...['place', 'key'],
  /**
   * Global ids of sessions of the attacking customer: a plain session, a session that a foreign session replaces, a
   * session that replaces a foreign session, and a session whose user also has foreign sessions. In `nobodys` these
   * sessions have no relation to a foreign session.
   */
  ...['mine', 'replaced', 'replacing', 'relative'],
] as const;

/** Ids, cursors and keys of a session, by name. The requests in attempts.ts contain these values. */
export type Given = Readonly<Record<(typeof NAMES)[number], string>>;

export interface TwoCustomers {
  readonly gateway: Gateway;
  /** Authorization headers of the attacking customer and of an admin. */
  readonly customer: string;
  readonly admin: string;
  readonly theirs: Given;
  readonly nobodys: Given;
  /** Replaces the ids, cursors and keys in a text by their names, to make answers comparable. */
  named(text: string): string;
}

const NOWHERE = '01a20a00-207c-77e4-bbd3-8de9fa006fe3';
const OWN = [
  ...['own-1', 'own-2', 'own-3', 'own-4.insufficient-balance'],
  ...['own-5.insufficient-balance', 'own-6', 'own-7'],
];

const globalId = (type: string, key: string) => Buffer.from(`${type}:${key}`).toString('base64url');
const placeOf = (createdAt: string, key: string) =>
  Buffer.from(`c${Date.parse(createdAt)}:${key}`).toString('base64url');

/** Returns the UUID in the global id of a session. */
export const keyOf = (id: string): string => Buffer.from(id, 'base64url').toString().split(':')[1] as string;

/** Boots a gateway with the sessions of the attacking customer and of the customer who is attacked. */
export async function bootTwoCustomers(): Promise<TwoCustomers> {
  const gateway = await bootGateway();
  const asha = { sub: 'asha', roles: ['CUSTOMER'], verification_ids: OWN };
  const { id: mine } = await gateway.start('own-1');
  const theirs = { ...(await lifeOfThem(gateway)), mine };
  const cursors = createCursorCodec(await readLogIdentity(drizzle(gateway.database)));
  const { data } = await gateway.graphql('query ($id: ID!) { session(id: $id) { createdAt } }', theirs);
  const start = (verificationId: string, input?: object) =>
    gateway.start(verificationId, input).then(({ id }) => id);
  const nobodys: Given = {
    verificationId: theirs.verificationId.replace('them', 'none'),
    id: globalId('VkycSession', NOWHERE),
    userId: 'u-nobody',
    user: globalId('VkycUser', NOWHERE),
    transition: globalId('StatusTransition', `${NOWHERE}:1`),
    meeting: globalId('Meeting', NOWHERE),
    review: globalId('Review', NOWHERE),
    // Uses the gateway's own cursor key: cursors are authenticated, so that a valid cursor of a session that does not
    // exist cannot be made without this key.
    cursor: cursors.encode({ ...getSessionStartPosition(NOWHERE), sequence: 1 }),
    place: placeOf(data.session.createdAt, NOWHERE),
    key: randomUUID(),
    mine,
    replaced: await start('own-5.insufficient-balance'),
    replacing: await start('own-6'),
    relative: await start('own-7', { user: { userId: 'u-alone', phone: '9988776622' } }),
  };
  const values = [theirs, nobodys].flatMap((given) => NAMES.map((name) => [given[name], name] as const));
  return {
    gateway,
    customer: `Bearer ${await gateway.token(asha)}`,
    admin: `Bearer ${await gateway.token({ sub: 'admin', roles: ['ADMIN'] })}`,
    theirs,
    nobodys,
    named: (text) => values.reduce((said, [value, name]) => said.replaceAll(value, `(${name})`), text),
  };
}

/**
 * Creates a session of another customer, with a meeting and a review, and sessions that replace those of the attacking
 * customer or belong to the same person.
 */
async function lifeOfThem(gateway: Gateway): Promise<Omit<Given, 'mine'>> {
  const user = { userId: 'u-their-1', phone: '9988776644' };
  const verificationId = 'them-1.awaits-review';
  const key = randomUUID();
  const agent = await person(gateway, 'ravi', 'AGENT');
  const { id } = await gateway.start(verificationId, { user });
  await agent.act('scheduleMeeting', id, { startsAt: inMinutes(30), idempotencyKey: key });
  const review = await reviewOf(gateway, agent, user);
  // A session can replace only a session of the same person. The attacking customer's token lists one session of each
  // pair below; the other one is foreign.
  const failed = await gateway.start('them-3.insufficient-balance');
  const replaced = await gateway.start('own-4.insufficient-balance');
  await gateway.start('them-4', { replacesSessionId: replaced.id });
  const replacing = await gateway.start('own-2', { replacesSessionId: failed.id });
  const family = { userId: 'u-family', phone: '9988776633' };
  const relative = await gateway.start('own-3', { user: family });
  for (const newer of ['them-5', 'them-6']) await gateway.start(newer, { user: family });
  const { data } = await gateway.graphql(
    'query ($id: ID!) { session(id: $id) { createdAt user { id } meeting { id } transitions(first: 1) { nodes { id cursor } } } }',
    { id },
  );
  const [{ id: transition, cursor }] = data.session.transitions.nodes;
  return {
    ...{ verificationId, id, userId: user.userId, user: data.session.user.id },
    ...{ transition, meeting: data.session.meeting.id, review, cursor, key },
    place: placeOf(data.session.createdAt, keyOf(id)),
    ...{ replaced: replaced.id, replacing: replacing.id, relative: relative.id },
  };
}

async function reviewOf(gateway: Gateway, agent: Person, user: object): Promise<string> {
  const verificationId = 'them-2.awaits-review';
  const { id } = await gateway.start(verificationId, { user });
  await gateway.advance(verificationId, STEPS_TO_THE_END_OF_THE_CALL);
  await eventually(async () => (await agent.look(id)).availableActions.includes('RECORD_AGENT_REVIEW'));
  return (await agent.act('recordAgentReview', id, { decision: 'APPROVED' })).review.id;
}
