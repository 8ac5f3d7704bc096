import type { onRequestHookHandler } from 'fastify';

/** Headers that tell the host name and the page that a request came by. */
interface OriginHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}

/**
 * Whether a request may come from its host and origin. Requests without an Origin pass; see `requirePreflight`
 * for those.
 */
export type OriginCheck = (headers: OriginHeaders) => boolean;

/** Message for requests that are refused for their origin. */
export const FORBIDDEN_ORIGIN_MESSAGE =
  'Requests from pages of this origin are refused (CSRF protection). Add the origin to ALLOWED_ORIGINS; in development, use a loopback address.';
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Creates the guard against pages of other sites (CSRF). It admits the gateway's own pages and those in
 * `allowedOrigins` (`https://app.example.com`). In development anyone who reaches the port is an ADMIN, so
 * that requests must also use a loopback host name: this stops DNS rebinding.
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

/** Origin of a page of this machine, at any port, as browsers send it. */
export const LOOPBACK_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

const isLoopback = (url: string): boolean =>
  URL.canParse(url) && LOOPBACK_NAMES.includes(new URL(url).hostname);

/**
 * Values of Sec-Fetch-Site in requests without an Origin that are admitted; `none`: a person typed the
 * address.
 */
const SAME_SITE_VALUES = ['same-origin', 'none'];

/**
 * Refuses requests that a page of another site makes without a CORS preflight: images, scripts, links and
 * forms (CSRF). Such a page cannot read the answers, but it can measure their time. Browsers mark these
 * requests with Sec-Fetch-Site and send no Origin; if there is an Origin, the guard has admitted it. Clients
 * other than browsers send neither header.
 */
export const requirePreflight: onRequestHookHandler = ({ headers }, reply, goOn) => {
  const site = headers['sec-fetch-site'];
  if (site === undefined || headers.origin !== undefined || SAME_SITE_VALUES.includes(String(site)))
    return goOn();
  reply
    .status(403)
    .send({ errors: [{ message: FORBIDDEN_ORIGIN_MESSAGE, extensions: { code: 'FORBIDDEN' } }] });
};
