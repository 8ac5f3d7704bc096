/**
 * Recipe for urql: queries and mutations go over HTTP, subscriptions over a WebSocket that resumes after a
 * reconnect.
 */
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient, type Sink } from 'graphql-ws';
import { type FeedState, resuming } from 'vkyc-gateway/client';

/**
 * Creates the client. It calls `getToken` for every HTTP request and at every connect of the WebSocket; `onState`
 * can update a badge that shows whether the page is live. Add a cache exchange if you want one.
 */
export function createUrqlClient(
  url: string,
  getToken: () => Promise<string>,
  onState: (state: FeedState) => void,
): Client {
  const socket = resuming(
    createClient,
    {
      url: url.replace(/^http/, 'ws'),
      connectionParams: async () => ({ authorization: `Bearer ${await getToken()}` }),
    },
    { onState },
  );
  return new Client({
    url,
    preferGetMethod: false,
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set('authorization', `Bearer ${await getToken()}`);
      return fetch(input, { ...init, headers });
    },
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ query, variables: { ...variables } }, sink as Sink),
          }),
        }),
      }),
    ],
  });
}
