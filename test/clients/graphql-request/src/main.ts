/**
 * Example with graphql-request and typed documents by graphql-codegen: starts a session, queries it, books
 * and cancels a meeting, and follows the session to its end over server-sent events (graphql-sse).
 */
import { randomUUID } from 'node:crypto';
import { print } from 'graphql';
import { GraphQLClient } from 'graphql-request';
import { createClient } from 'graphql-sse';
import { resuming } from 'vkyc-gateway/client';
import {
  CancelDocument,
  NewestDocument,
  OneDocument,
  ScheduleDocument,
  StartDocument,
  WatchDocument,
  type WatchSubscription,
} from './generated.ts';
import { line, moved, started } from './words.ts';

const { GATEWAY_URL = '', TOKEN = '', NAME = '' } = process.env;
const headers = { authorization: `Bearer ${TOKEN}` };
const client = new GraphQLClient(`${GATEWAY_URL}/graphql`, { headers });
const live = resuming(
  createClient,
  { url: `${GATEWAY_URL}/graphql/stream`, headers: async () => headers },
  { onState: (state) => console.error(state) },
);

/**
 * Starts a session and prints the result. Returns the session's id, or an empty string if the gateway refused the
 * start.
 */
async function start(verificationId: string, phone: string): Promise<string> {
  const input = { verificationId, user: { phone, name: 'Asha Rao' } };
  const { startSession: result } = await client.request(StartDocument, { input });
  console.log(started(result));
  return result.__typename === 'StartSessionSuccess' ? result.session.id : '';
}

async function bookAndCancel(sessionId: string): Promise<void> {
  const startsAt = new Date(Date.now() + 600_000).toISOString();
  const booking = { sessionId, idempotencyKey: randomUUID(), startsAt };
  const booked = await client.request(ScheduleDocument, { input: booking });
  const cancelling = { sessionId, idempotencyKey: randomUUID() };
  const cancelled = await client.request(CancelDocument, { input: cancelling });
  for (const result of [booked.scheduleMeeting, cancelled.cancelMeeting])
    console.log('meeting' in result ? `meeting ${result.meeting.status}` : result.message);
}

/** Follows a session from its start, and prints each transition until the session ends. */
const watch = (id: string, after: string) =>
  new Promise<void>((complete, error) => {
    const stop = live.subscribe<WatchSubscription>(
      { query: print(WatchDocument), variables: { id, after } },
      {
        next: ({ data, errors }) => {
          if (!data) return error(errors);
          const frame = data.sessionLive;
          const words = moved(frame);
          if (words) console.log(words);
          if (frame.__typename === 'StatusTransition' && frame.statusInfo.terminal) stop();
        },
        error,
        complete,
      },
    );
  });

await start(`${NAME}.happy-path`, 'not a number');
await start(`${NAME}.with-error-500`, '9988776655');
const id = await start(`${NAME}.happy-path`, '9988776655');
await start(`${NAME}.happy-path`, '9000000000');

const newest = await client.request(NewestDocument, { verificationIdPrefix: `${NAME}.` });
for (const session of newest.sessions.nodes)
  console.log(`${line(session)}, transitions ${session.transitions.nodes.map(({ sequence }) => sequence)}`);
await bookAndCancel(id);
const one = await client.request(OneDocument, { id });
console.log(`${line(one.session!)}, may ${one.session!.availableActions}`);
await watch(id, one.session!.startCursor);
live.dispose();
