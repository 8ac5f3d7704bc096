import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { type TokenSource, withSignInBar } from './graphiql-bar.ts';
import { GRAPHIQL_EXAMPLES } from './graphiql-examples.ts';

/**
 * Content-Security-Policy of GraphiQL. The page is one file that contains its scripts, styles, fonts and
 * workers; the policy lets it connect only to this gateway.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "worker-src 'self' blob: data:",
  "connect-src 'self' data: blob: ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves GraphiQL at `/graphiql` from files of its npm package (no CDN). The page has 9 MB, which are read
 * into memory at the first visit; browsers cache the page until the page changes (ETag).
 */
export function serveGraphiql(app: FastifyInstance, tokens: TokenSource): void {
  let rendered: Promise<{ page: string; tag: string }> | null = null;
  const render = async () => {
    const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
    const page = withSignInBar(
      renderGraphiQL({
        endpoint: '/graphql',
        title: 'VKYC gateway',
        subscriptionsProtocol: 'WS',
        defaultTabs: [...GRAPHIQL_EXAMPLES],
      }),
      tokens,
    );
    return { page, tag: `"${createHash('sha256').update(page).digest('base64url')}"` };
  };
  app.get('/graphiql', async (request, reply) => {
    rendered ??= render();
    const { page, tag } = await rendered;
    reply
      .header('content-security-policy', POLICY)
      .header('cache-control', 'private, no-cache')
      .header('etag', tag);
    if (request.headers['if-none-match'] === tag) return reply.status(304).send();
    return reply.type('text/html; charset=utf-8').send(page);
  });
}
