import type { Duplex } from 'node:stream';

/**
 * Content-Security-Policy of answers that are not pages: they may load and run nothing. A page sets its own
 * policy.
 */
export const DENY_ALL_CSP = "default-src 'none';frame-ancestors 'none'";

/** Headers of answers that bypass Fastify, and so its hooks. */
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

/** Answers directly on a socket whose request never reached the server's handlers, and closes it. */
export function writeRawResponse(
  socket: Duplex,
  status: string,
  body: object,
  more: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  const headers = { ...RAW_RESPONSE_HEADERS, ...more, 'Content-Length': Buffer.byteLength(text) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // Destroys the socket after the answer: a peer that never closes its end would keep it half-open for ever.
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${text}`, () => socket.destroy());
}
