/** Binding for Apollo Client 4. */
import {
  type ApolloCache,
  ApolloClient,
  ApolloLink,
  type FetchResult,
  gql,
  HttpLink,
  InMemoryCache,
  type TypedDocumentNode,
} from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import type { Client } from 'graphql-ws';
import { Observable, type Subscription } from 'rxjs';
import { findOperationKind, OrderGuard } from './order.ts';
import { possibleTypes } from './possible-types.ts';
import { typePolicies } from './type-policies.ts';
import type { TypedDocumentText } from './typed-document.ts';

export { possibleTypes } from './possible-types.ts';
export { typePolicies } from './type-policies.ts';

/** Number of times that a query is sent again because its answer was older than what the page shows. */
const MAX_REPEATS = 3;

/** Parses an operation of the package, with its types. The result is the same at each call. */
export const toDocument = <Result, Variables>(
  text: TypedDocumentText<Result, Variables>,
): TypedDocumentNode<Result, Variables> => gql(text) as TypedDocumentNode<Result, Variables>;

/** Creates the cache that the gateway's schema needs: its possible types and type policies. */
export const createCache = (): InMemoryCache =>
  new InMemoryCache({ possibleTypes, typePolicies: typePolicies as never });

/**
 * Link that keeps an older answer from overwriting a newer one in the cache. Put it before the links that send, so that
 * all answers and frames pass through it. A query that was overtaken, and asked for more than the newer answer had, is
 * sent again.
 */
export class OrderGuardLink extends ApolloLink {
  constructor(guard: OrderGuard = new OrderGuard()) {
    super((operation, forward) => {
      const { query, variables } = operation;
      const isQuery = findOperationKind(query) === 'query';
      return new Observable((observer) => {
        let sending: Subscription | undefined;
        const send = (repeats: number): void => {
          let isOvertaken = false;
          sending = forward(operation).subscribe({
            next: (result: FetchResult) => {
              if (!('data' in result)) return observer.next(result as never);
              const { data, isComplete } = guard.check(query, variables, result.data);
              isOvertaken = isQuery && !isComplete && repeats < MAX_REPEATS;
              if (!isOvertaken) observer.next({ ...result, data } as never);
            },
            error: (error: unknown) => observer.error(error),
            complete: () => (isOvertaken ? send(repeats + 1) : observer.complete()),
          });
        };
        send(0);
        return () => sending?.unsubscribe();
      });
    });
  }
}

export interface ApolloOptions {
  /** Address of the API over HTTP, such as `http://127.0.0.1:4000/graphql`. */
  readonly url: string;
  /** Client for subscriptions, made with `resuming`. Without it (on a server), subscriptions are refused. */
  readonly live?: Pick<Client, 'subscribe'>;
  /** Returns the token. Called for every HTTP request; null for requests without one. */
  readonly getToken?: () => Promise<string | null> | string | null;
  readonly cache?: ApolloCache;
  /** Whether the client runs on a server, which renders pages. */
  readonly ssrMode?: boolean;
}

/**
 * Creates a client: queries and mutations over HTTP, subscriptions over the resuming WebSocket, a cache with type
 * policies, and the guard of their order.
 */
export function createApolloClient({
  url,
  live,
  getToken,
  cache,
  ssrMode = false,
}: ApolloOptions): ApolloClient {
  const withToken = new SetContextLink(async ({ headers }) => {
    const token = await getToken?.();
    return token ? { headers: { ...headers, authorization: `Bearer ${token}` } } : {};
  });
  const http = withToken.concat(new HttpLink({ uri: url }));
  const transports = live
    ? ApolloLink.split(
        ({ query }) => findOperationKind(query) === 'subscription',
        new GraphQLWsLink(live as Client),
        http,
      )
    : http;
  return new ApolloClient({
    cache: cache ?? createCache(),
    link: new OrderGuardLink().concat(transports),
    ssrMode,
  });
}
