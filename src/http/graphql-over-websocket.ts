import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql';
import { CloseCode } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Viewer } from '../domain/access.ts';
import { type Context, createContext, type Services } from '../graphql/context.ts';
import type { Translate } from '../graphql/errors.ts';
import type { Authenticator } from './sign-in.ts';

const LARGEST_MESSAGE_BYTES = 64 * 1024;
const PING_EVERY_MS = 12_000;
/** Service restart: stock clients come back by themselves. */
const SERVICE_RESTART = 1012;
/** setTimeout's own limit; a token that lives longer is looked at again then. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

interface Parts {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly translate: Translate;
}

type ConnectionExtra = Extra & { viewer?: Viewer; expiry?: NodeJS.Timeout };

export interface GraphqlOverWebsocket {
  /** Takes over a connection that asks to become a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Sends everyone away, spread over a window so that they do not all come back at once. */
  stop(windowSeconds: number): Promise<void>;
}

/** Serves subscriptions (and any other operation) over graphql-transport-ws. */
export function serveGraphqlOverWebsocket({
  schema,
  services,
  authenticator,
  translate,
}: Parts): GraphqlOverWebsocket {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LARGEST_MESSAGE_BYTES });
  const formatted = (errors: readonly unknown[]): GraphQLFormattedError[] => errors.map(translate);
  const viewerOf = (extra: Extra): Viewer => (extra as ConnectionExtra).viewer as Viewer;

  useServer(
    {
      schema,
      async onConnect({ connectionParams, extra }) {
        const connection = extra as ConnectionExtra;
        const authorization = connectionParams?.authorization ?? connectionParams?.Authorization;
        try {
          connection.viewer = await authenticator.viewerOf(
            authorization === undefined ? undefined : String(authorization),
          );
        } catch (error) {
          // Refused with 4403: clients then come back with a new token, as connectionParams may be a function.
          if (error instanceof GraphQLError) return false;
          throw error;
        }
        if (connection.viewer.expiresAt) closeAtExpiry(connection, connection.viewer.expiresAt);
        return true;
      },
      onClose: ({ extra }) => clearTimeout((extra as ConnectionExtra).expiry),
      context: ({ extra }, _id, _payload, { document }) => {
        const live = document.definitions.some(
          (each) => 'operation' in each && each.operation === 'subscription',
        );
        return createContext(services, viewerOf(extra), live);
      },
      subscribe: (args) => subscribeWithFreshLoaders(args, services),
      onNext: (_ctx, _id, _payload, _args, result) =>
        result.errors ? { data: result.data ?? null, errors: formatted(result.errors) } : undefined,
      onError: (_ctx, _id, _payload, errors) => formatted(errors),
    },
    sockets,
    PING_EVERY_MS,
  );

  return {
    upgrade: (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request)),
    stop: (windowSeconds) => sendAway(sockets, windowSeconds * 1000),
  };
}

/** What loaders have read goes stale while a subscription lives: each event gets new ones. */
async function subscribeWithFreshLoaders(args: ExecutionArgs, services: Services) {
  const source = await createSourceEventStream(args);
  if (!(Symbol.asyncIterator in source)) return source;
  const events = source[Symbol.asyncIterator]() as AsyncIterator<unknown>;
  const { viewer } = args.contextValue as Context;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
      const event = await events.next();
      if (event.done) return { done: true, value: undefined };
      const contextValue = createContext(services, viewer, true);
      return { done: false, value: await execute({ ...args, rootValue: event.value, contextValue }) };
    },
    async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
      await events.return?.();
      return { done: true, value: undefined };
    },
  };
}

function closeAtExpiry(connection: ConnectionExtra, expiresAt: Date): void {
  const left = expiresAt.getTime() - Date.now();
  connection.expiry = setTimeout(
    () => {
      if (left > LONGEST_TIMEOUT_MS) closeAtExpiry(connection, expiresAt);
      else connection.socket.close(CloseCode.Forbidden, 'Token expired');
    },
    Math.max(0, Math.min(left, LONGEST_TIMEOUT_MS)),
  );
}

async function sendAway(sockets: WebSocketServer, windowMs: number): Promise<void> {
  const leave = (client: WebSocket) =>
    new Promise<void>((resolve) => {
      client.once('close', () => resolve());
      setTimeout(() => {
        client.close(SERVICE_RESTART, 'Service restart');
        setTimeout(() => client.terminate(), 1_000).unref();
      }, Math.random() * windowMs);
    });
  await Promise.all([...sockets.clients].map(leave));
  sockets.close();
}
