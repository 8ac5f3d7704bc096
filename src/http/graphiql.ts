import type { FastifyInstance } from 'fastify';

/** What GraphiQL opens with: start a session, then watch it. */
export const FIRST_QUERY = `# 1. Start a session. With the sandbox, a word in the verification id chooses what happens:
#    happy-path (everything passes), awaits-review (the decisions are left to you), or another of the README's.
mutation Start {
  startSession(
    input: {
      verificationId: "graphiql.happy-path.1"
      user: { phone: "9988776655", name: "Asha Rao" }
    }
  ) {
    __typename
    ... on StartSessionSuccess {
      session { id verificationId status subStatus link startCursor }
      replayed
    }
    ... on MutationError { code message retryable }
  }
}

# 2. Watch everything that happens, as it happens.
subscription Watch {
  statusTransitions {
    session { verificationId }
    sequence
    status
    subStatus
    statusInfo { explanation waitingOn }
    occurredAt
    cursor
  }
}

# 3. Look at the newest sessions and their logs.
query Sessions {
  sessions(first: 10) {
    totalCount
    nodes {
      id
      verificationId
      status
      subStatus
      statusInfo { explanation recommendedAction waitingOn terminal }
      transitions(last: 5) { nodes { sequence status subStatus source } }
    }
  }
}
`;

/** The page is one file, with its scripts, styles, fonts and workers in it; it talks to this gateway and to nobody else. */
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

/** Serves GraphiQL at `/graphiql`, whole and from the package's own files; its 9 MB are loaded at the first visit. */
export function serveGraphiql(app: FastifyInstance): void {
  let page: Promise<string> | null = null;
  const render = async () => {
    const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
    return renderGraphiQL({
      endpoint: '/graphql',
      title: 'VKYC gateway',
      subscriptionsProtocol: 'WS',
      defaultQuery: FIRST_QUERY,
    });
  };
  app.get('/graphiql', async (_request, reply) => {
    page ??= render();
    return reply
      .header('content-security-policy', POLICY)
      .type('text/html; charset=utf-8')
      .send(await page);
  });
}
