/** `npm run demo`: starts a session at a running gateway and prints its transitions as they stream in. */
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

/** Wildcard addresses: a gateway can listen on them, but a client must connect to another address. */
const WILDCARDS = ['0.0.0.0', '::'];

const gateway = findGateway(process.env);

const START = `mutation Start($input: StartSessionInput!) {
  startSession(input: $input) {
    ... on StartSessionSuccess { session { id verificationId link startCursor } }
    ... on MutationError { code message }
  }
}`;

const WATCH = `subscription Watch($sessionId: ID!, $after: String!) {
  statusTransitions(sessionId: $sessionId, after: $after) {
    sequence source recordedAt
    statusInfo { status subStatus explanation waitingOn terminal }
  }
}`;

interface Session {
  id: string;
  verificationId: string;
  link: string;
  startCursor: string;
}

interface Transition {
  sequence: number;
  source: string;
  recordedAt: string;
  statusInfo: {
    status: string;
    subStatus: string;
    explanation: string;
    waitingOn: string;
    terminal: boolean;
  };
}

/** Returns the gateway's URL: GATEWAY_URL, or an address on this machine that is built from HOST and PORT. */
function findGateway({ GATEWAY_URL, HOST, PORT }: NodeJS.ProcessEnv): string {
  if (GATEWAY_URL) return GATEWAY_URL.replace(/\/$/, '');
  const host = !HOST || WILDCARDS.includes(HOST) ? '127.0.0.1' : HOST;
  return `http://${host.includes(':') ? `[${host}]` : host}:${PORT || 4000}`;
}

async function startSession(): Promise<Session> {
  const input = {
    verificationId: `demo.happy-path.${Date.now().toString(36)}`,
    user: { phone: '9988776655', name: 'Asha Rao' },
  };
  const response = await fetch(`${gateway}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: START, variables: { input } }),
  });
  const answer = (await response.json()) as {
    data?: { startSession: { session?: Session; message?: string } };
    errors?: { message: string }[];
  };
  const session = answer.data?.startSession.session;
  if (session) return session;
  throw new Error(
    answer.data?.startSession.message ??
      answer.errors?.[0]?.message ??
      `the gateway answered ${response.status}`,
  );
}

async function watch({ id, startCursor }: Session): Promise<number> {
  const client = createClient({ url: `${gateway.replace(/^http/, 'ws')}/graphql`, webSocketImpl: WebSocket });
  let seen = 0;
  for await (const { data, errors } of client.iterate<{ statusTransitions: Transition }>({
    query: WATCH,
    variables: { sessionId: id, after: startCursor },
  })) {
    if (errors || !data) throw new Error(errors?.[0]?.message ?? 'the stream ended');
    seen += 1;
    print(data.statusTransitions);
    if (data.statusTransitions.statusInfo.terminal) break;
  }
  await client.dispose();
  return seen;
}

function print({ sequence, source, recordedAt, statusInfo }: Transition): void {
  const { status, subStatus, explanation } = statusInfo;
  const line = [
    String(sequence).padStart(3),
    recordedAt.slice(11, 23),
    source.padEnd(8),
    `${status}/${subStatus}`.padEnd(52),
    explanation,
  ];
  process.stdout.write(`${line.join('  ')}\n`);
}

try {
  const session = await startSession();
  process.stdout.write(`Session ${session.verificationId}, link ${session.link}\n\n`);
  const seen = await watch(session);
  process.stdout.write(`\nReceived ${seen} transitions, each once and in order.\n`);
} catch (error) {
  const isUnreachable =
    error instanceof TypeError && /^(fetch failed|Failed to parse URL)/.test(error.message);
  const why = isUnreachable
    ? `No gateway answers at ${gateway}. Start one with \`npm start\`, or set its port: PORT=4001 npm run demo`
    : (error as Error).message;
  process.stderr.write(`${why}\n`);
  process.exitCode = 1;
}
