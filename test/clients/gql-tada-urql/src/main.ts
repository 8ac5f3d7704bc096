/**
 * Example with urql and types by gql.tada: starts a session, queries it, books and cancels a meeting, and
 * follows the session to its end. `client.ts` is an unchanged copy of test/recipes/urql.ts.
 */
import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { createUrqlClient } from './client.ts';
import { CANCEL, NEWEST, ONE, SCHEDULE, START, WATCH } from './operations.ts';
import { line, moved, started } from './words.ts';

const { GATEWAY_URL = '', TOKEN = '', NAME = '' } = process.env;
// Node 20 has no global WebSocket; browsers need no such line.
Object.assign(globalThis, { WebSocket });
const client = createUrqlClient(
  `${GATEWAY_URL}/graphql`,
  async () => TOKEN,
  (state) => console.error(state),
);

/**
 * Starts a session and prints the result. Returns the session's id, or an empty string if the gateway refused the
 * start.
 */
async function start(verificationId: string, phone: string): Promise<string> {
  const input = { verificationId, user: { phone, name: 'Asha Rao' } };
  const { data } = await client.mutation(START, { input });
  const result = data!.startSession;
  console.log(started(result));
  return result.__typename === 'StartSessionSuccess' ? result.session.id : '';
}

async function bookAndCancel(sessionId: string): Promise<void> {
  const startsAt = new Date(Date.now() + 600_000).toISOString();
  const booking = { sessionId, idempotencyKey: randomUUID(), startsAt };
  const booked = await client.mutation(SCHEDULE, { input: booking });
  const cancelling = { sessionId, idempotencyKey: randomUUID() };
  const cancelled = await client.mutation(CANCEL, { input: cancelling });
  for (const result of [booked.data!.scheduleMeeting, cancelled.data!.cancelMeeting])
    console.log('meeting' in result ? `meeting ${result.meeting.status}` : result.message);
}

/** Follows a session from its start, and prints each transition until the session ends. */
function watch(id: string, after: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const watching = client.subscription(WATCH, { id, after }).subscribe(({ data, error }) => {
      if (error) return reject(error);
      const frame = data!.sessionLive;
      const words = moved(frame);
      if (words) console.log(words);
      if (frame.__typename !== 'StatusTransition' || !frame.statusInfo.terminal) return;
      watching.unsubscribe();
      resolve();
    });
  });
}

await start(`${NAME}.happy-path`, 'not a number');
await start(`${NAME}.with-error-500`, '9988776655');
const id = await start(`${NAME}.happy-path`, '9988776655');
await start(`${NAME}.happy-path`, '9000000000');

const { data: newest } = await client.query(NEWEST, { verificationIdPrefix: `${NAME}.` });
for (const session of newest!.sessions.nodes)
  console.log(`${line(session)}, transitions ${session.transitions.nodes.map(({ sequence }) => sequence)}`);
await bookAndCancel(id);
const { data: one } = await client.query(ONE, { id });
console.log(`${line(one!.session!)}, may ${one!.session!.availableActions}`);
await watch(id, one!.session!.startCursor);
process.exit();
