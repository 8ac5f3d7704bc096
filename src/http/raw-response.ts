import type { Duplex } from 'node:stream';

/**
 * Content-Security-Policy of answers that are not pages: a browser that shows such an answer loads and runs
 * nothing. Pages set a policy of their own.
 */
export const DENY_ALL_CSP = "default-src 'none';frame-ancestors 'none'";

/** Headers of answers that are written without Fastify, whose hooks would set them. */
export const RAW_RESPONSE_HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Content-Security-Policy': DENY_ALL_CSP,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'Cache-Control': 'no-store',
  Connection: 'close',
};

/**
 * Writes an HTTP answer directly to a socket, and closes the socket. Used if the request never became a
 * Fastify request, such as a refused WebSocket upgrade.
 */
export function writeRawResponse(
  socket: Duplex,
  status: string,
  body: object,
  more: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  const headers = { ...RAW_RESPONSE_HEADERS, ...more, 'Content-Length': Buffer.byteLength(text) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // Destroys the socket once the answer is written: otherwise a client that never closes its side would keep
  // it half-open for ever.
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${text}`, () => socket.destroy());
}
