import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { TokenSource } from './graphiql-bar.ts';

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 44rem; margin: 3rem auto; padding: 0 1rem }
  dt { font-weight: 600; margin-top: 1rem }
  dd { margin: 0 }
  pre { overflow-x: auto; padding: 0.75rem; border: 1px solid }
`;

/** Content-Security-Policy of the page, which has one style element and no script. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface StartPageSetup {
  /** Whether the gateway issues tokens itself (development), or its users paste their own. */
  readonly signIn: TokenSource;
  /** Address of the sandbox's scenarios and faults; null with a real provider. */
  readonly sandboxUrl: string | null;
}

/**
 * Serves a page at `/` that says what the gateway serves, and how an application begins. Call it only if introspection
 * is on: in production, nothing is served there.
 */
export function serveStartPage(app: FastifyInstance, setup: StartPageSetup): void {
  const page = formatStartPage(setup);
  app.get('/', async (_request, reply) =>
    reply.header('content-security-policy', POLICY).type('text/html; charset=utf-8').send(page),
  );
}

function formatStartPage({ signIn, sandboxUrl }: StartPageSetup): string {
  const places: [href: string, name: string, what: string][] = [
    ['/console', 'Console', 'every session live, what each waits for, and what you may do'],
    ['/graphiql', 'GraphiQL', 'the API, with examples to run and its documentation'],
    ['/schema.graphql', 'Schema', 'the contract as SDL, for code generators and editors'],
    ['/readyz', 'Readiness', 'whether the gateway can serve requests, and what impairs it'],
    ...(sandboxUrl
      ? [
          [sandboxUrl, 'Sandbox', 'the simulated provider: its scenarios and faults'] as [
            string,
            string,
            string,
          ],
        ]
      : []),
  ];
  const list = places
    .map(([href, name, what]) => `<dt><a href="${href}">${name}</a></dt><dd>${what}</dd>`)
    .join('\n      ');
  const token =
    signIn === 'ISSUED'
      ? 'Requests without a token have the role ADMIN. For another role: <code>npx vkyc-gateway token --sub asha --role AGENT</code>.'
      : 'Requests need a token in the header <code>Authorization: Bearer …</code>.';
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>VKYC gateway</title>
    <style>${STYLE}</style>
  </head>
  <body>
    <h1>VKYC gateway</h1>
    <p>The API is at <code>/graphql</code>, over HTTP, WebSocket (graphql-ws) and server-sent events (<code>/graphql/stream</code>). ${token}</p>
    <dl>
      ${list}
    </dl>
    <h2>In your application</h2>
    <pre>npm install @vkyc-gateway/client graphql-ws graphql</pre>
    <p>The page of that package shows a live session in a few lines.</p>
  </body>
</html>
`;
}
