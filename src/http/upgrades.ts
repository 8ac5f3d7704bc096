import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LogAccess } from './access-log.ts';
import { FORBIDDEN_ORIGIN_MESSAGE, type OriginCheck } from './csrf.ts';
import type { GraphqlOverWebsocket } from './graphql-over-websocket.ts';
import { writeRawResponse } from './raw-response.ts';
import { getOrCreateRequestId } from './request-id.ts';

const WEBSOCKET_PATH = '/graphql';
/**
 * Maximum number of headers of a request. Node silently drops further headers, so a request with exactly this
 * many may be incomplete and is refused.
 */
const MAX_HEADERS = 2_000;
const RETRY_AFTER_SECONDS = '1';
const TOO_MANY =
  'Too many WebSockets from your address have not signed in: send connection_init, or close some.';

interface UpgradesOptions {
  readonly server: Server;
  readonly isAllowedOrigin: OriginCheck;
  readonly websocket: GraphqlOverWebsocket;
  readonly logAccess: LogAccess | null;
}

/**
 * Serves WebSockets at `/graphql`. If a request offers to upgrade to another protocol, such as the `h2c` of
 * Java's HTTP client, the offer is ignored, as RFC 9110 allows, and the request is answered like any other.
 * Node can ignore such offers by itself only from 24.9 on (`shouldUpgradeCallback`).
 */
export function serveWebSocketUpgrades({
  server,
  isAllowedOrigin,
  websocket,
  logAccess,
}: UpgradesOptions): void {
  server.on('upgrade', (request, socket, head) => {
    // Handles errors of the socket from here on. No other handler listens to errors yet, and an unhandled
    // ECONNRESET would end the process.
    socket.on('error', () => socket.destroy());
    if (!asksForWebSocket(request)) return answerAsUsual(server, request, socket, head);

    const requestId = getOrCreateRequestId(request);
    // Sets the request header from which the answer to the WebSocket handshake takes its X-Request-Id.
    request.headers['x-request-id'] = requestId;
    const path = request.url?.split('?')[0]?.replace(/(?<=.)\/$/, '');
    let status = 400;
    if (logAccess) logAtItsEnd(request, requestId, path === WEBSOCKET_PATH ? path : 'none', () => status);
    if (!isAllowedOrigin(request.headers)) refuse(403, 'Forbidden', FORBIDDEN_ORIGIN_MESSAGE, 'FORBIDDEN');
    else if (path !== WEBSOCKET_PATH)
      refuse(404, 'Not Found', 'No WebSocket is served at this path. The API is at /graphql.', 'NOT_FOUND');
    else if (!websocket.upgrade(request, socket, head, onOpen))
      refuse(429, 'Too Many Requests', TOO_MANY, 'RATE_LIMITED', { 'Retry-After': RETRY_AFTER_SECONDS });

    function onOpen() {
      status = 101;
    }

    function refuse(
      code: number,
      reason: string,
      message: string,
      errorCode: string,
      headers: Record<string, string> = {},
    ) {
      status = code;
      const errors = [{ message, extensions: { code: errorCode } }];
      writeRawResponse(socket, `${code} ${reason}`, { errors }, { 'X-Request-Id': requestId, ...headers });
    }
  });

  function logAtItsEnd(
    { method = '', socket }: IncomingMessage,
    requestId: string,
    path: string,
    statusOf: () => number,
  ) {
    const [since, bytesBefore] = [performance.now(), socket.bytesWritten];
    socket.once('close', () =>
      logAccess?.({
        method,
        path,
        status: statusOf(),
        ms: Math.round(performance.now() - since),
        bytes: socket.bytesWritten - bytesBefore,
        requestId,
      }),
    );
  }
}

const asksForWebSocket = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.upgrade?.trim().toLowerCase() === 'websocket';

/** Passes the connection back to the HTTP server, with the same request but without its upgrade header. */
function answerAsUsual(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  // Waits for the answer to the previous request, which with HTTP pipelining may still be using the
  // connection.
  const answering = (socket as { _httpMessage?: ServerResponse | null })._httpMessage;
  if (answering) {
    answering.once('close', () => answerAsUsual(server, request, socket, head));
    return;
  }
  if (socket.destroyed) return;
  if (request.rawHeaders.length >= MAX_HEADERS * 2) {
    const errors = [
      { message: 'The request has too many headers: send fewer.', extensions: { code: 'BAD_REQUEST' } },
    ];
    writeRawResponse(socket, '431 Request Header Fields Too Large', { errors });
    return;
  }
  socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(request), 'latin1'), head]));
  // Clears the keep-alive timeout that the previous request left on the socket.
  request.socket.setTimeout(0);
  server.emit('connection', socket);
}

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.toLowerCase() !== 'upgrade') text += `${name}: ${rawHeaders[index + 1]}\r\n`;
  }
  return `${text}\r\n`;
}
