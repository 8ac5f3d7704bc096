import type { onRequestHookHandler } from 'fastify';

/** Headers that say which host a request is for, and which page sent it. */
interface OriginHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}

/**
 * Returns whether a request with these headers is allowed. A missing Origin header is allowed, because
 * `refuseCrossSiteSimpleRequests` checks such requests.
 */
export type OriginCheck = (headers: OriginHeaders) => boolean;

/** Message for a request whose Host or Origin header is not allowed. */
export const FORBIDDEN_ORIGIN_MESSAGE =
  'Requests from pages of this origin are refused (CSRF protection). Add the origin to ALLOWED_ORIGINS; in development, use a loopback address.';
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Creates the check against requests from pages of other sites (CSRF). The check allows pages of the gateway
 * itself and of `allowedOrigins` (`https://app.example.com`). In development everyone who reaches the port is
 * an ADMIN, so the Host header must also be a loopback name, which prevents DNS rebinding.
 */
export function createOriginCheck({
  development,
  allowedOrigins,
}: {
  development: boolean;
  allowedOrigins: readonly string[];
}): OriginCheck {
  return ({ host, origin }) => {
    if (development && !isLoopback(`http://${host ?? ''}`)) return false;
    if (origin === undefined || allowedOrigins.includes(origin)) return true;
    return development ? isLoopback(origin) : URL.canParse(origin) && new URL(origin).host === host;
  };
}

/** Matches the Origin header of a page that is served from this machine, at any port. */
export const LOOPBACK_ORIGIN_PATTERN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

const isLoopback = (url: string): boolean =>
  URL.canParse(url) && LOOPBACK_NAMES.includes(new URL(url).hostname);

/**
 * Values of Sec-Fetch-Site that are allowed in a request without an Origin; `none` means that the user typed
 * the address.
 */
const SAME_SITE_VALUES = ['same-origin', 'none'];

/**
 * Refuses requests that browsers send for a page of another site without a CORS preflight, such as images,
 * scripts, links and forms (CSRF). The page cannot read the answers, but it can measure how long they take.
 * Browsers mark these requests with Sec-Fetch-Site and send no Origin. Requests with an Origin were checked
 * by `createOriginCheck`; clients other than browsers send neither header.
 */
export const refuseCrossSiteSimpleRequests: onRequestHookHandler = ({ headers }, reply, goOn) => {
  const site = headers['sec-fetch-site'];
  if (site === undefined || headers.origin !== undefined || SAME_SITE_VALUES.includes(String(site)))
    return goOn();
  reply
    .status(403)
    .send({ errors: [{ message: FORBIDDEN_ORIGIN_MESSAGE, extensions: { code: 'FORBIDDEN' } }] });
};
