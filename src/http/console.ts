import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { TokenSource } from './graphiql-bar.ts';

/** What the page is told of the gateway that it came from. */
export interface ConsoleSetup {
  /** Where tokens come from. */
  readonly signIn: TokenSource;
  /** What can be made to happen, by the word for it; null where the provider is real. */
  readonly scenarios: Readonly<Record<string, string>> | null;
}

const BUILT = fileURLToPath(new URL('../../.build/console/', import.meta.url));
const PLACE = '<!-- setup: what only the gateway knows -->';

/** Its scripts and styles are files of this gateway; its components put one style into the page, by the nonce. */
const policy = (nonce: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** Serves the console at `/console`: one page for all of its addresses, and files that never change under their names. */
export async function serveConsole(app: FastifyInstance, setup: ConsoleSetup): Promise<void> {
  const page = await readFile(`${BUILT}index.html`, 'utf8').catch(() => null);
  if (page === null) {
    app.log.warn('the console is not built, and so not served: `npm run build` builds it');
    return;
  }
  // In a page, what looks like the end of a script is one.
  const told = JSON.stringify(setup).replaceAll('<', '\\u003c');
  await app.register(fastifyStatic, {
    root: `${BUILT}assets`,
    prefix: '/console/assets/',
    preCompressed: true,
    index: false,
    cacheControl: false,
    setHeaders: (reply) => reply.header('cache-control', 'public, max-age=31536000, immutable'),
  });
  for (const path of ['/console', '/console/*'])
    app.get(path, async (_request, reply) => {
      const nonce = randomBytes(16).toString('base64url');
      const head = `<meta property="csp-nonce" nonce="${nonce}"><script type="application/json" id="setup">${told}</script>`;
      return reply
        .header('content-security-policy', policy(nonce))
        .type('text/html; charset=utf-8')
        .send(page.replace(PLACE, () => head));
    });
}
