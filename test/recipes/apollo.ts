/**
 * Recipe for Apollo Client 4: queries and mutations go over HTTP, subscriptions over a WebSocket that resumes
 * after a reconnect.
 */
import { type ApolloCache, ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { getMainDefinition } from '@apollo/client/utilities';
import { createClient } from 'graphql-ws';
import { type FeedState, resuming } from 'vkyc-gateway/client';

/**
 * Creates the client. It calls `getToken` for every HTTP request and at every connect of the WebSocket; `onState`
 * can update a badge that shows whether the page is live. The cache needs `possibleTypes` (see possible-types.json of
 * the package).
 */
export function createApolloClient(
  url: string,
  getToken: () => Promise<string>,
  onState: (state: FeedState) => void,
  cache: ApolloCache = new InMemoryCache(),
): ApolloClient {
  const authorization = async () => `Bearer ${await getToken()}`;
  const socket = resuming(
    createClient,
    {
      url: url.replace(/^http/, 'ws'),
      connectionParams: async () => ({ authorization: await authorization() }),
    },
    { onState },
  );
  const withToken = new SetContextLink(async ({ headers }) => ({
    headers: { ...headers, authorization: await authorization() },
  }));
  return new ApolloClient({
    cache,
    link: ApolloLink.split(
      ({ query }) => {
        const main = getMainDefinition(query);
        return main.kind === 'OperationDefinition' && main.operation === 'subscription';
      },
      new GraphQLWsLink(socket),
      withToken.concat(new HttpLink({ uri: url })),
    ),
  });
}
