import type { Duplex } from 'node:stream';

/** What pages may load or do that are none; a page says itself what it needs. */
export const NOTHING_FROM_ANYWHERE = "default-src 'none';frame-ancestors 'none'";

/** Of answers that pass the server's own by. */
export const BARE_HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Content-Security-Policy': NOTHING_FROM_ANYWHERE,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'Cache-Control': 'no-store',
  Connection: 'close',
};

/** Answers on a socket that no request of the server's own stands for, and closes it. */
export function answerBare(
  socket: Duplex,
  status: string,
  body: object,
  more: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  const headers = { ...BARE_HEADERS, ...more, 'Content-Length': Buffer.byteLength(text) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // The peer need not close its own end, which would then stay open for ever.
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${text}`, () => socket.destroy());
}
