import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError } from 'graphql';
import { CloseCode, type Context as Connected, handleProtocols, makeServer } from 'graphql-ws';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Viewer } from '../domain/access.ts';
import { invariant } from '../domain/invariant.ts';
import { createContext, type Services } from '../graphql/context.ts';
import { type FormatError, formatResult } from '../graphql/errors.ts';
import {
  type CheckedOperation,
  chargeOperation,
  type OperationPreparer,
} from '../graphql/operation-cache.ts';
import type { ExecuteQueryOrMutation } from '../graphql/operation-handler.ts';
import type { ViewerRateLimiter } from '../graphql/rate-limit.ts';
import { startSubscription } from '../graphql/subscription-frames.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { LiveConnections } from './live-connections.ts';
import { getOrCreateRequestId } from './request-id.ts';
import type { Authenticator } from './sign-in.ts';
import { HIGH_WATER_MARK_BYTES, type SendBuffer, WebSocketSink } from './sinks.ts';
import type { UnauthenticatedSocketCounter } from './unauthenticated-sockets.ts';

const MAX_MESSAGE_BYTES = 64 * 1024;
/**
 * Ping interval. A client that has not answered a ping before the next ping is disconnected, so a dead
 * connection is noticed within two intervals.
 */
const PING_INTERVAL_MS = 12_000;
const UNSUPPORTED_DATA = 1003;
/** WebSocket close codes after which the clients of graphql-ws reconnect by themselves. */
const SERVICE_RESTART = 1012;
const TRY_AGAIN_LATER = 1013;
/**
 * Time that a client has to answer the closing handshake before its connection is destroyed. The TypeScript
 * types of `ws` lack this option.
 */
const FAREWELL = { closeTimeout: 5_000 };

interface Dependencies {
  readonly operations: OperationPreparer;
  readonly execute: ExecuteQueryOrMutation;
  readonly rateLimit: ViewerRateLimiter;
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly formatError: FormatError;
  readonly connections: LiveConnections;
  readonly mostSubscriptions: number;
  readonly unsigned: UnauthenticatedSocketCounter;
  readonly metrics: Metrics;
  readonly log: Logger;
}

interface Peer {
  readonly client: WebSocket;
  /** Upgrade request with which the socket was opened. */
  readonly request: IncomingMessage;
  readonly room: SendBuffer;
  viewer: Viewer | null;
  /** Removes the socket from the live connections; null until the client has signed in on this socket. */
  leave: (() => void) | null;
  /**
   * Whether the client has answered the last ping. If no answer has come by the next ping, the socket is
   * terminated.
   */
  alive: boolean;
}

export interface GraphqlOverWebsocket {
  /**
   * Upgrades a connection to a WebSocket, and then calls `onOpen`. Returns false, without touching the
   * connection, if the client's address has too many sockets that have not signed in.
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, onOpen: () => void): boolean;
  /**
   * Last step of a shutdown: closes the sockets that are still open after all clients were told to reconnect.
   */
  stop(): void;
}

/** Serves subscriptions, queries and mutations over WebSockets, by the graphql-transport-ws protocol. */
export function createGraphqlOverWebsocket(dependencies: Dependencies): GraphqlOverWebsocket {
  const { operations, execute, rateLimit, services, formatError, log } = dependencies;
  const onFailedFrame = () => dependencies.metrics.failedFrames.inc();
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols,
    ...FAREWELL,
  });
  const peers = new Set<Peer>();
  const pings = setInterval(() => terminateUnresponsive(peers), PING_INTERVAL_MS);

  const protocol = makeServer<Record<string, unknown>, Peer>({
    onConnect: ({ connectionParams, extra: peer }) => signIn(peer, connectionParams, dependencies),
    onSubscribe: async ({ subscriptions, extra: peer }, id, payload) => {
      if (Object.keys(subscriptions).length > dependencies.mostSubscriptions)
        return [tooMany(dependencies.mostSubscriptions)];
      const operation = await chargeOperation(operations.prepare(payload), getViewer(peer), rateLimit);
      if ('errors' in operation) return operation.errors;
      return { ...operation, contextValue: { peer, id, operation } satisfies Asked };
    },
    execute: ({ contextValue, ...args }) => {
      const { peer } = contextValue as Asked;
      return execute({ ...args, contextValue: createContext(services, getViewer(peer)) });
    },
    subscribe: async ({ contextValue }) => {
      const { peer, id, operation } = contextValue as Asked;
      const sink = new WebSocketSink(peer.client, peer.room, id, TRY_AGAIN_LATER);
      return (await startSubscription(operation, getViewer(peer), sink, {
        services,
        formatError,
        rateLimit,
        onFailedFrame,
      })) as never;
    },
    onNext: (_connected, _id, _payload, _args, result) => formatResult(result, formatError),
    onError: (_connected, _id, _payload, errors) => errors.map(formatError),
  });

  sockets.on('headers', (headers: string[], request: IncomingMessage) =>
    headers.push(`X-Request-Id: ${getOrCreateRequestId(request)}`),
  );
  sockets.on('connection', (client: WebSocket, request: IncomingMessage) => {
    // Only logs errors that the client caused (a message too large, an invalid frame), because `ws` closes
    // the socket by itself.
    client.on('error', (error) => log.debug({ err: error }, 'WebSocket failed; connection closed'));
    // If the shutdown began during this upgrade, closes the socket with a code that tells the client to
    // reconnect; to the client, a dropped socket would look like a fault.
    if (dependencies.connections.isStopping) return void closeForRestart(client);
    const disconnected = dependencies.metrics.connected('websocket');
    const room = createSocketBuffer(client, request);
    const peer: Peer = { client, request, room, viewer: null, leave: null, alive: true };
    peers.add(peer);
    const fail = (error: unknown) => {
      if (isOfThePeer(error)) return client.close(CloseCode.BadRequest, 'Invalid message received');
      log.error({ err: error }, 'could not handle a WebSocket message; closing the connection');
      client.close(TRY_AGAIN_LATER, 'Try again later');
    };
    const closed = protocol.opened(
      {
        protocol: client.protocol,
        send: (data) => new Promise((resolve) => client.send(data, () => resolve())),
        close: (code, reason) => client.close(code, fitInCloseFrame(reason)),
        // After the gateway has closed a socket, messages may still arrive until the client closes its side.
        // These messages are ignored.
        onMessage: (receive) =>
          client.on('message', (data, isBinary) => {
            if (client.readyState !== client.OPEN) return;
            if (isBinary) return client.close(UNSUPPORTED_DATA, 'Messages are texts');
            void receive(String(data)).catch(fail);
            pauseReadsWhileFull(peer);
          }),
      },
      peer,
    );
    client.on('pong', () => {
      peer.alive = true;
    });
    client.once('close', (code, reason) => {
      peers.delete(peer);
      disconnected(code);
      peer.leave?.();
      void closed(code, String(reason)).catch(fail);
    });
  });

  return {
    upgrade(request, socket, head, onOpen) {
      if (!dependencies.unsigned.enter(request)) return false;
      sockets.handleUpgrade(request, socket, head, (client) => {
        onOpen();
        sockets.emit('connection', client, request);
      });
      return true;
    },
    stop() {
      clearInterval(pings);
      for (const { client } of peers) void closeForRestart(client);
      sockets.close();
    },
  };
}

/**
 * Value passed to graphql-ws as the context of an operation, before it is known whether the operation is a
 * subscription: the socket, and the id of the operation on this socket.
 */
interface Asked {
  readonly peer: Peer;
  readonly id: string;
  readonly operation: CheckedOperation;
}

/**
 * Returns the authorization of a socket: from the payload of its first message, as clients and Hive Gateway send it;
 * from `connectionParams` inside that payload, where Apollo Router puts it, as `token` unless it is configured
 * otherwise; or from the `Authorization` header of the upgrade request, which Cosmo Router and Hive Router forward.
 */
function findAuthorization(
  payload: Connected['connectionParams'],
  { headersDistinct }: IncomingMessage,
): unknown {
  const nested = payload?.connectionParams as Record<string, unknown> | null | undefined;
  return (
    payload?.authorization ??
    payload?.Authorization ??
    nested?.authorization ??
    nested?.Authorization ??
    nested?.token ??
    // Several headers are joined, so that their verification fails: see `getAuthorizationHeader`.
    headersDistinct.authorization?.join(', ')
  );
}

async function signIn(
  peer: Peer,
  connectionParams: Connected['connectionParams'],
  { authenticator, connections, unsigned }: Dependencies,
): Promise<boolean> {
  const { client } = peer;
  try {
    peer.viewer = await authenticator.viewerOf(
      findAuthorization(connectionParams, peer.request),
      peer.request,
    );
  } catch (error) {
    // Returning false makes graphql-ws close the socket with 4403. After 4403, clients reconnect with a new
    // token if their `connectionParams` is a function. For the rate limit, 4429 would be wrong: in graphql-ws
    // it means that one socket was initialised twice, and clients never reconnect after it.
    if (!(error instanceof GraphQLError)) throw error;
    if (error.extensions.code === 'RATE_LIMITED') client.close(TRY_AGAIN_LATER, 'Too many failed sign-ins');
    else if (error.extensions.code === 'SERVICE_UNAVAILABLE')
      client.close(TRY_AGAIN_LATER, 'Try again later');
    return false;
  }
  unsigned.leave(peer.request);
  peer.leave = connections.admit(
    {
      closeForExpiry: () => client.close(CloseCode.Forbidden, 'Token expired'),
      closeForRestart: () => closeForRestart(client),
    },
    peer.viewer,
  );
  if (!peer.leave && connections.isStopping) void closeForRestart(client);
  else if (!peer.leave) client.close(TRY_AGAIN_LATER, 'Too many connections');
  // If the socket was closed while its token was being verified, frees its slot.
  else if (client.readyState !== client.OPEN) peer.leave();
  return peer.leave !== null;
}

/**
 * Whether the client caused an error of graphql-ws, by sending a message that only servers may send.
 * graphql-ws throws only in this case; for any other invalid message it closes the socket.
 */
const isOfThePeer = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('Unexpected message of type');

/**
 * Stops reading from a client while its send buffer is full (backpressure). Otherwise the answers to a client
 * that keeps sending operations or pings without reading would pile up in memory.
 */
function pauseReadsWhileFull({ client, room }: Peer): void {
  if (client.isPaused || client.readyState !== client.OPEN || room.bufferedBytes < HIGH_WATER_MARK_BYTES)
    return;
  client.pause();
  void room.drained().then(() => client.resume());
}

/** Closes a socket with the code that tells the client to connect again, and resolves when it is closed. */
function closeForRestart(client: WebSocket): Promise<void> {
  if (client.readyState === client.CLOSED) return Promise.resolve();
  return new Promise((resolve) => {
    client.once('close', () => resolve());
    client.close(SERVICE_RESTART, 'Service restart');
  });
}

/**
 * Closes the clients that did not answer the last ping with a pong (liveness check), and pings the others. A peer
 * that reads too slowly is closed too: the ping waits behind the frames in its send buffer, so its pong comes too
 * late.
 */
function terminateUnresponsive(peers: Iterable<Peer>): void {
  for (const peer of peers) {
    if (!peer.alive) peer.client.terminate();
    peer.alive = false;
    if (peer.client.readyState === peer.client.OPEN) peer.client.ping();
  }
}

function getViewer({ viewer }: Peer): Viewer {
  invariant(viewer, 'operation came from a socket that has not signed in');
  return viewer;
}

/**
 * Returns a `SendBuffer` for a WebSocket. A socket that is not open counts as full, so that nothing is sent
 * on it.
 */
function createSocketBuffer(client: WebSocket, { socket }: IncomingMessage): SendBuffer {
  let drained: Promise<void> | null = null;
  return {
    get bufferedBytes() {
      return client.readyState === client.OPEN ? client.bufferedAmount : Number.POSITIVE_INFINITY;
    },
    cork(write) {
      socket.cork();
      try {
        write();
      } finally {
        socket.uncork();
      }
    },
    drained() {
      drained ??= new Promise((resolve) => {
        const done = () => {
          socket.off('drain', done);
          client.off('close', done);
          drained = null;
          resolve();
        };
        socket.on('drain', done);
        client.on('close', done);
      });
      return drained;
    },
  };
}

const tooMany = (most: number): GraphQLError =>
  new GraphQLError(
    `A connection carries at most ${most} operations at a time: complete some, or open another connection.`,
    {
      extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' },
    },
  );

/**
 * Shortens the reason of a close to the 123 bytes that a close frame can hold. graphql-ws puts the
 * operation's id into the reason; clients choose that id, and it may be longer.
 */
function fitInCloseFrame(reason: string | undefined): string {
  let fitting = (reason ?? '').slice(0, MAX_REASON_BYTES);
  while (Buffer.byteLength(fitting) > MAX_REASON_BYTES) fitting = fitting.slice(0, -1);
  return fitting;
}

const MAX_REASON_BYTES = 123;
