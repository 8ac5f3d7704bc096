/**
 * Example with Relay, without React, and types by relay-compiler: starts a session, queries it, books and
 * cancels a meeting, and follows the session to its end.
 */
import { randomUUID } from 'node:crypto';
import {
  commitMutation,
  fetchQuery,
  type GraphQLTaggedNode,
  type MutationParameters,
  requestSubscription,
} from 'relay-runtime';
import type { operationsCancelMutation } from './__generated__/operationsCancelMutation.graphql';
import type { operationsNewestQuery } from './__generated__/operationsNewestQuery.graphql';
import type { operationsOneQuery } from './__generated__/operationsOneQuery.graphql';
import type { operationsScheduleMutation } from './__generated__/operationsScheduleMutation.graphql';
import type { operationsStartMutation } from './__generated__/operationsStartMutation.graphql';
import type { operationsWatchSubscription } from './__generated__/operationsWatchSubscription.graphql';
import { createEnvironment } from './environment';
import { CANCEL, NEWEST, ONE, SCHEDULE, START, WATCH } from './operations';
import { line, moved, refusal, started } from './words';

const { GATEWAY_URL = '', TOKEN = '', NAME = '' } = process.env;
const environment = createEnvironment(
  `${GATEWAY_URL}/graphql`,
  async () => TOKEN,
  (state) => console.error(state),
);

const mutate = <Mutation extends MutationParameters>(
  mutation: GraphQLTaggedNode,
  variables: Mutation['variables'],
) =>
  new Promise<Mutation['response']>((onCompleted, onError) => {
    commitMutation<Mutation>(environment, { mutation, variables, onCompleted, onError });
  });

/**
 * Starts a session and prints the result. Returns the session's id, or an empty string if the gateway refused the
 * start.
 */
async function start(verificationId: string, phone: string): Promise<string> {
  const input = { verificationId, user: { phone, name: 'Asha Rao' } };
  const { startSession: result } = await mutate<operationsStartMutation>(START, { input });
  console.log(started(result));
  return result.session?.id ?? '';
}

async function bookAndCancel(sessionId: string): Promise<void> {
  const startsAt = new Date(Date.now() + 600_000).toISOString();
  const booking = { sessionId, idempotencyKey: randomUUID(), startsAt };
  const booked = await mutate<operationsScheduleMutation>(SCHEDULE, { input: booking });
  const cancelling = { sessionId, idempotencyKey: randomUUID() };
  const cancelled = await mutate<operationsCancelMutation>(CANCEL, { input: cancelling });
  for (const result of [booked.scheduleMeeting, cancelled.cancelMeeting])
    console.log(result.meeting ? `meeting ${result.meeting.status}` : refusal(result.refusal));
}

/** Follows a session from its start, and prints each transition until the session ends. */
const watch = (id: string, after: string) =>
  new Promise<void>((resolve, onError) => {
    const watching = requestSubscription<operationsWatchSubscription>(environment, {
      subscription: WATCH,
      variables: { id, after },
      onNext: (data) => {
        const frame = data!.sessionLive;
        const words = moved(frame);
        if (words) console.log(words);
        if (frame.__typename !== 'StatusTransition' || !frame.statusInfo.terminal) return;
        watching.dispose();
        resolve();
      },
      onError,
    });
  });

async function main(): Promise<void> {
  await start(`${NAME}.happy-path`, 'not a number');
  await start(`${NAME}.with-error-500`, '9988776655');
  const id = await start(`${NAME}.happy-path`, '9988776655');
  await start(`${NAME}.happy-path`, '9000000000');

  const ours = { verificationIdPrefix: `${NAME}.` };
  const newest = await fetchQuery<operationsNewestQuery>(environment, NEWEST, ours).toPromise();
  for (const session of newest!.sessions.nodes)
    console.log(`${line(session)}, transitions ${session.transitions.nodes.map(({ sequence }) => sequence)}`);
  await bookAndCancel(id);
  const one = await fetchQuery<operationsOneQuery>(environment, ONE, { id }).toPromise();
  console.log(`${line(one!.session!)}, may ${one!.session!.availableActions}`);
  await watch(id, one!.session!.startCursor);
}

main().then(
  () => process.exit(),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
