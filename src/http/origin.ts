import type { onRequestHookHandler } from 'fastify';

/** Which names and pages a request came by. */
interface Provenance {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}

/** Whether a request may come from where it comes from. Those without an Origin are not from a page. */
export type Guard = (headers: Provenance) => boolean;

/** What whoever is not let in is told. */
export const NOT_WELCOME =
  'Pages of other sites are served where ALLOWED_ORIGINS names them; in development, this machine by a loopback name.';
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Pages of other sites are let in where they are allowed by name (`https://app.example.com`). In development anyone
 * who reaches the port is an ADMIN: only this machine's own pages may, by a loopback name, so that no rebound name
 * does.
 */
export function createGuard({
  development,
  allowedOrigins,
}: {
  development: boolean;
  allowedOrigins: readonly string[];
}): Guard {
  return ({ host, origin }) => {
    if (development && !isLoopback(`http://${host ?? ''}`)) return false;
    if (origin === undefined || allowedOrigins.includes(origin)) return true;
    return development ? isLoopback(origin) : URL.canParse(origin) && new URL(origin).host === host;
  };
}

/** A page of this machine, at any port, as browsers name it. */
export const LOOPBACK_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

const isLoopback = (url: string): boolean =>
  URL.canParse(url) && LOOPBACK_NAMES.includes(new URL(url).hostname);

/** Of requests whose page the browser does not name in `Origin`; `none`: a person typed the address. */
const OF_OUR_OWN = ['same-origin', 'none'];

/**
 * Refuses what a page of another site had a browser send without asking first: images, scripts, links and forms, whose
 * answers it could not read but time. Browsers mark them (Sec-Fetch-Site), and name no Origin; where they name one, the
 * guard has let it in. Whatever is no browser sends neither.
 */
export const refuseUnasked: onRequestHookHandler = ({ headers }, reply, goOn) => {
  const site = headers['sec-fetch-site'];
  if (site === undefined || headers.origin !== undefined || OF_OUR_OWN.includes(String(site))) return goOn();
  reply.status(403).send({ errors: [{ message: NOT_WELCOME, extensions: { code: 'FORBIDDEN' } }] });
};
