import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { TokenSource } from './graphiql-bar.ts';

/** Settings that the gateway writes into the console's page. */
export interface ConsoleSetup {
  /**
   * Whether the gateway issues the tokens of the console's users (development), or the users paste their own.
   */
  readonly signIn: TokenSource;
  /**
   * Descriptions of the sandbox's scenarios (how a simulated verification proceeds), by the word in a
   * verification id that selects each. Null with a real provider.
   */
  readonly scenarios: Readonly<Record<string, string>> | null;
}

const BUILT = fileURLToPath(new URL('../../.build/console/', import.meta.url));
const PLACE = '<!-- setup: what only the gateway knows -->';

/**
 * Content-Security-Policy of the console. Scripts and styles are files of this gateway; the nonce allows the
 * one style element that the console's components insert at run time.
 */
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

/**
 * Serves the console: the same page at every path below `/console`, and its asset files. An asset's name
 * contains a hash of its content, so browsers may cache it as immutable.
 */
export async function serveConsole(app: FastifyInstance, setup: ConsoleSetup): Promise<void> {
  const page = await readFile(`${BUILT}index.html`, 'utf8').catch(() => null);
  if (page === null) {
    app.log.warn('console is not built; not serving it until `npm run build` has run');
    return;
  }
  // Escapes `<`, because a `</script>` inside a setting would end the script element (HTML injection).
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
