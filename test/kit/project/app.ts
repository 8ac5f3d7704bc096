// Page of a frontend project. The test compiles it, which succeeds only if the types of the package are
// right.
import { createClient } from 'graphql-ws';
import { type FeedState, resuming } from 'vkyc-gateway/client';
import possibleTypes from 'vkyc-gateway/possible-types.json' with { type: 'json' };
import {
  type VkycFloorQuery,
  type VkycFloorQueryVariables,
  type VkycStartSessionMutation,
  type VkycWatchSessionSubscription,
} from './generated/graphql.ts';

export const client = resuming(
  createClient,
  { url: 'ws://127.0.0.1:4000/graphql' },
  { onState: (state: FeedState) => console.log(state) },
);

export const variables: VkycFloorQueryVariables = { first: 50, filter: { status: ['VIDEO_CALL'] } };
// @ts-expect-error no such status
export const misspelt: VkycFloorQueryVariables = { first: 50, filter: { status: ['VIDEO_CAL'] } };

export const rows = ({ sessions }: VkycFloorQuery): string[] =>
  sessions.nodes.map(({ verificationId, statusInfo }) => `${verificationId}: ${statusInfo.explanation}`);

export function told({ startSession: result }: VkycStartSessionMutation): string {
  if (result.__typename === 'StartSessionSuccess') return result.session.startCursor;
  // @ts-expect-error a refusal has no session
  const { session } = result;
  return session ?? `${result.code}: ${result.message}`;
}

export function cursorOf({ sessionLive: frame }: VkycWatchSessionSubscription): string | null {
  switch (frame.__typename) {
    case 'SessionSnapshot':
    case 'StatusTransition':
    case 'Heartbeat':
      return frame.cursor;
    // Never sent, because the document does not select it.
    case 'DeadlinePassed':
      return null;
  }
}

export const unions: string[] = possibleTypes.StartSessionResult;
