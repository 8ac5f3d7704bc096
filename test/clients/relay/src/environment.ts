/**
 * Relay environment that runs without a browser: queries and mutations use fetch, subscriptions a WebSocket that
 * resumes after a lost connection.
 */
import { createClient, type Sink } from 'graphql-ws';
import {
  Environment,
  type FetchFunction,
  type GraphQLResponse,
  Network,
  Observable,
  RecordSource,
  Store,
  type SubscribeFunction,
} from 'relay-runtime';
import { type FeedState, resuming } from 'vkyc-gateway/client';
import { WebSocket } from 'ws';

/**
 * Creates the environment. `getToken` is called for every request and at every reconnect. `onState` can update a
 * badge that shows whether the data is live.
 */
export function createEnvironment(
  url: string,
  getToken: () => Promise<string>,
  onState: (state: FeedState) => void,
): Environment {
  const authorization = async () => `Bearer ${await getToken()}`;
  const fetchAnswer: FetchFunction = async ({ text: query }, variables) => {
    const headers = { 'content-type': 'application/json', authorization: await authorization() };
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as GraphQLResponse;
  };
  const socket = resuming(
    createClient,
    {
      url: url.replace(/^http/, 'ws'),
      // Node 20 has no global WebSocket; browsers need no such line.
      webSocketImpl: WebSocket,
      connectionParams: async () => ({ authorization: await authorization() }),
    },
    { onState },
  );
  const subscribe: SubscribeFunction = ({ text }, variables) =>
    Observable.create<GraphQLResponse>((sink) =>
      socket.subscribe({ query: text ?? '', variables }, sink as Sink),
    );
  return new Environment({
    network: Network.create(fetchAnswer, subscribe),
    store: new Store(new RecordSource()),
  });
}
