/**
 * Example with graphql-ws alone, and the operations of the client kit, typed by graphql-codegen's client
 * preset: starts a session, queries it, books and cancels a meeting, and follows the session to its end, all
 * over one WebSocket that reconnects.
 */
import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';
import { resuming } from 'vkyc-gateway/client';
import { WebSocket } from 'ws';
import {
  type TypedDocumentString,
  VkycCancelMeetingDocument,
  VkycFloorDocument,
  VkycScheduleMeetingDocument,
  VkycSessionDocument,
  VkycStartSessionDocument,
  VkycWatchSessionDocument,
  type VkycWatchSessionSubscription,
} from './generated/graphql.ts';
import { line, moved, started } from './words.ts';

const { GATEWAY_URL = '', TOKEN = '', NAME = '' } = process.env;
const client = resuming(
  createClient,
  {
    url: `${GATEWAY_URL}/graphql`.replace(/^http/, 'ws'),
    // Node 20 has no global WebSocket; browsers need no such line.
    webSocketImpl: WebSocket,
    connectionParams: async () => ({ authorization: `Bearer ${TOKEN}` }),
  },
  { onState: (state) => console.error(state) },
);

/** Sends a query or mutation over the WebSocket, and resolves with its result. */
const ask = <Result, Variables extends Record<string, unknown>>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
) =>
  new Promise<Result>((resolve, error) => {
    client.subscribe<Result>(
      { query: document.toString(), variables },
      {
        next: ({ data, errors }) => (data ? resolve(data) : error(errors)),
        error,
        complete: () => {},
      },
    );
  });

/**
 * Starts a session and prints the result. Returns the session's id, or an empty string if the gateway refused the
 * start.
 */
async function start(verificationId: string, phone: string): Promise<string> {
  const input = { verificationId, user: { phone, name: 'Asha Rao' } };
  const { startSession: result } = await ask(VkycStartSessionDocument, { input });
  console.log(started(result));
  return result.__typename === 'StartSessionSuccess' ? result.session.id : '';
}

async function bookAndCancel(sessionId: string): Promise<void> {
  const startsAt = new Date(Date.now() + 600_000).toISOString();
  const booking = { sessionId, idempotencyKey: randomUUID(), startsAt };
  const booked = await ask(VkycScheduleMeetingDocument, { input: booking });
  const cancelling = { sessionId, idempotencyKey: randomUUID() };
  const cancelled = await ask(VkycCancelMeetingDocument, { input: cancelling });
  for (const result of [booked.scheduleMeeting, cancelled.cancelMeeting])
    console.log('meeting' in result ? `meeting ${result.meeting.status}` : result.message);
}

/** Follows a session from its start, and prints each transition until the session ends. */
const watch = (sessionId: string, after: string) =>
  new Promise<void>((complete, error) => {
    const stop = client.subscribe<VkycWatchSessionSubscription>(
      { query: VkycWatchSessionDocument.toString(), variables: { sessionId, after } },
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

const look = async (id: string) => (await ask(VkycSessionDocument, { id })).session!;
const floor = await ask(VkycFloorDocument, { first: 10, filter: { verificationIdPrefix: `${NAME}.` } });
for (const row of floor.sessions.nodes) {
  const session = await look(row.id);
  console.log(`${line(session)}, transitions ${session.transitions.nodes.map(({ sequence }) => sequence)}`);
}
await bookAndCancel(id);
const session = await look(id);
console.log(`${line(session)}, may ${session.availableActions}`);
await watch(id, session.startCursor);
await client.dispose();
