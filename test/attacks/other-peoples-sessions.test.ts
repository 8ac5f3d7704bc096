/**
 * Requests of a customer with ids, cursors and keys of a foreign session: each answer equals, byte for byte, the answer
 * for a session that does not exist, so the customer cannot learn whether the session exists.
 */
import { expect, test } from 'vitest';
import { eventually, type Stream } from '../harness/gateway.ts';
import { isClean, type Outcome, TRANSPORTS } from '../harness/transports.ts';
import { ASKED, FOLLOWED, PLACED, schedule, USED_KEY } from './attempts.ts';
import { tallyOf } from './tally.ts';
import { bootTwoCustomers, keyOf } from './two-customers.ts';

const ATTEMPTS = { ...ASKED, ...PLACED, ...FOLLOWED };
const { gateway, customer, admin, theirs, nobodys, named } = await bootTwoCustomers();
const { mine } = theirs;
const tally = tallyOf("the ids of other people's sessions");

const used = schedule({ sessionId: mine, idempotencyKey: USED_KEY });
const { data: booked } = await TRANSPORTS.HTTP(gateway, used, customer);
expect(booked.scheduleMeeting.__typename).toBe('ScheduleMeetingSuccess');

/**
 * Replaces the ids in an answer by the names of the ids, and corrects the content-length accordingly, so that two
 * answers can be compared.
 */
function seen({ status, headers, text }: Outcome): object {
  // Without the pings of a stream (comments), whose number depends on how long the answer takes.
  const said = named(text.replace(/^:\n\n/gm, ''));
  const length = Number(headers['content-length']) - text.length + said.length;
  return { status, headers: { ...headers, 'content-length': length }, said };
}

/** Returns whether a text contains the id of a session, plain or encoded. */
function tells(text: string, id: string): boolean {
  const key = keyOf(id);
  const words = text.match(/[\w-]{16,}/g) ?? [];
  return words.some((word) => {
    const bytes = Buffer.from(word, 'base64url');
    const digits = bytes.toString('hex');
    return word.includes(key) || bytes.includes(key) || digits.includes(key.replaceAll('-', ''));
  });
}

const stateOf = async () =>
  (
    await gateway.graphql(
      'query ($id: ID!) { session(id: $id) { version updatedAt meetings(first: 9) { nodes { id startsAt status } } } }',
      { id: theirs.id },
      { authorization: admin },
    )
  ).data.session;
const before = await stateOf();

for (const [transport, send] of Object.entries(TRANSPORTS))
  test.each(Object.entries(ATTEMPTS))(
    `${transport}: a customer gets the same answer for a foreign session and for a session that does not exist: %s`,
    async (attempt, requestOf) => {
      const foreign = await send(gateway, requestOf(theirs), customer);
      const missing = await send(gateway, requestOf(nobodys), customer);

      const [got, expected] = [seen(foreign), seen(missing)];
      tally.note(`${transport}: ${attempt}`, JSON.stringify(got) !== JSON.stringify(expected));
      expect(got).toEqual(expected);
      expect(isClean(foreign.text)).toBe(true);
      expect(foreign.text).not.toContain('INTERNAL_SERVER_ERROR');
    },
  );

const FRAME = '__typename ... on StatusTransition { session { id verificationId } sequence cursor }';
const FEEDS: Record<string, [query: string, after: string | null]> = {
  feed: [`subscription { feed { ${FRAME} ... on Heartbeat { cursor } } }`, null],
  'feed after a foreign cursor': [
    `subscription ($after: String) { feed(after: $after) { ${FRAME} ... on Heartbeat { cursor } } }`,
    theirs.cursor,
  ],
  'statusTransitions after a foreign cursor': [
    `subscription ($after: String) { statusTransitions(after: $after) { ${FRAME} } }`,
    theirs.cursor,
  ],
};

test("a customer's feeds show only the customer's sessions, and no frame or cursor contains the id of another session", async () => {
  const authorization = { authorization: customer };
  /** Records a transition of the foreign session, which is then the newest one of the feed. */
  const happen = async () => {
    const { version } = await stateOf();
    await gateway.advance(theirs.verificationId);
    await eventually(async () => (await stateOf()).version > version);
  };
  await happen();
  const open = Object.entries(FEEDS).flatMap(([name, [query, after]]): [string, Stream<any>][] => [
    [`WebSocket: ${name}`, gateway.subscribe(query, { after }, authorization)],
    [`SSE: ${name}`, gateway.stream(query, { after }, authorization)],
  ]);
  const first = await Promise.all(open.map(([, stream]) => stream.next()));
  const cursor = await gateway.graphql('{ feedCursor }', {}, authorization);

  await happen();
  await gateway.advance('own-1');
  const news = open.map(async ([name, stream], index) => {
    const frames = [first[index], cursor];
    do frames.push(await stream.next());
    while (frames.at(-1).session?.id !== mine || frames.at(-1).sequence < 3);
    const text = JSON.stringify(frames);
    const isOwn = frames.every(({ session }) => session?.verificationId.startsWith('own-') ?? true);
    tally.note(name, !isOwn || tells(text, theirs.id));
    expect(isOwn).toBe(true);
    expect(tells(text, mine), 'the check finds own data').toBe(true);
    expect(tells(text, theirs.id), `${name}: ${text}`).toBe(false);
  });
  await Promise.all(news);
});

test('after all attempts of this file the foreign session is unchanged; as a control, an admin gets different answers for a foreign and a missing session', async () => {
  const { version, meetings } = await stateOf();
  expect({ version, meetings }).toEqual({ version: before.version + 2, meetings: before.meetings });

  for (const [attempt, requestOf] of Object.entries(ASKED)) {
    const foreign = await TRANSPORTS.HTTP(gateway, requestOf(theirs), admin);
    const missing = await TRANSPORTS.HTTP(gateway, requestOf(nobodys), admin);
    expect(seen(foreign), attempt).not.toEqual(seen(missing));
  }
});

tally.close(Object.keys(ATTEMPTS).length * 3 + Object.keys(FEEDS).length * 2);
