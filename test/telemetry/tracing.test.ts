import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { createClient } from 'graphql-ws';
import pg from 'pg';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { signWebhook } from '../../src/provider/signature.ts';
import {
  atTheEnd,
  bootGateway,
  DATA_KEYS,
  eventually,
  freshDatabase,
  STEPS_TO_THE_END_OF_THE_CALL,
} from '../harness/gateway.ts';
import { type CollectedSpan, startOtlpCollector } from '../harness/otlp.ts';
import { type GatewayProcess, startGatewayProcess, startSandboxProcess } from '../harness/process.ts';

const VERIFICATION = 'marked.awaits-review';
const USER = { phone: '7012345678', name: 'Marked Name', email: 'marked@example.com' };
const KNOWN = { ...USER, aadhaar: '999941057058', recording_link: 'https://example.com/marked-recording' };
const START = `mutation MarkedOperation($input: StartSessionInput!) {
  startSession(input: $input) { ... on StartSessionSuccess { session { id link } } } }`;
const REFRESH = `mutation ($id: ID!) { refreshSession(sessionId: $id) { __typename ... on MutationError { code } } }`;
const RECORDING = `mutation ($id: ID!) {
  requestRecording(sessionId: $id) { ... on RequestRecordingSuccess { recording { url } } } }`;
const WATCH = 'subscription { statusTransitions { subStatus } }';

/**
 * Starts two replicas that share a database and export traces to one collector: `taking` gets webhooks and
 * mutations, `sending` has the subscriber.
 */
async function place() {
  const collector = await startOtlpCollector();
  const sandbox = await startSandboxProcess();
  const DATABASE_URL = await freshDatabase();
  const database = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });
  atTheEnd(() => database.end());
  const start = (service: string) =>
    startGatewayProcess({ ...sandbox.access, DATABASE_URL, DATA_KEYS, ...collector.environmentOf(service) });
  const [taking, sending] = await Promise.all([start('taking'), start('sending')]);
  return { collector, sandbox, database, taking, sending };
}

/** Sends a signed webhook with a traceparent; returns the trace id and the id of the sender's span. */
async function sendTraced({ url }: GatewayProcess, sub_status: string) {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  const data = { ...KNOWN, verification_id: VERIFICATION, status: 'VIDEO_CALL', sub_status };
  const body = Buffer.from(
    JSON.stringify({ event_time: new Date(Date.now() + 3_600_000).toISOString(), data }),
  );
  const timestamp = String(Date.now());
  const response = await fetch(`${url}/webhooks/cashfree`, {
    method: 'POST',
    headers: {
      'x-webhook-timestamp': timestamp,
      'x-webhook-signature': signWebhook('sandbox', timestamp, body),
      traceparent: `00-${traceId}-${spanId}-01`,
      tracestate: 'sender=Marked-Name',
      baggage: `who=${USER.email}`,
    },
    body,
  });
  expect(response.status).toBe(200);
  return { traceId, spanId };
}

test('a trace leads from a webhook to the frames that another replica sends, and contains no personal data', {
  timeout: 60_000,
}, async () => {
  const { collector, sandbox, database, taking, sending } = await place();
  const found = (look: (span: CollectedSpan) => boolean) =>
    eventually(async () => collector.spans.find(look));
  const within = (parent: CollectedSpan, name: string | RegExp, service = parent.service) =>
    found(
      (span) =>
        span.traceId === parent.traceId &&
        span.parentSpanId === parent.spanId &&
        span.service === service &&
        (typeof name === 'string' ? span.name === name : name.test(span.name)),
    );
  const client = createClient({
    url: `${sending.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
  });
  atTheEnd(async () => client.dispose());
  const frames = client.iterate<any>({ query: WATCH });
  const untilFrame = async (subStatus: string) => {
    for (;;) if ((await frames.next()).value.data.statusTransitions.subStatus === subStatus) return;
  };
  const input = { verificationId: VERIFICATION, user: USER };
  const first = frames.next();
  const { startSession } = await taking.graphql(START, { input });
  const { id, link } = startSession.session;
  await first;

  await sandbox.control('POST', `/verifications/${VERIFICATION}/advance`, {
    steps: STEPS_TO_THE_END_OF_THE_CALL,
  });
  await taking.graphql(REFRESH, { id });
  const { requestRecording } = await taking.graphql(RECORDING, { id });
  await expect(taking.graphql('{ session(id: "marked nonsense") { id } }')).rejects.toThrow();
  await database.query(`update vkyc_session set next_poll_at = now()`);
  const sent = await sendTraced(taking, 'AGENT_DROPPED_OFF');
  await untilFrame('AGENT_DROPPED_OFF');

  const received = await found((span) => span.traceId === sent.traceId && span.parentSpanId === sent.spanId);
  expect(received).toMatchObject({ name: 'POST /webhooks/cashfree', service: 'taking' });
  expect(received.attributes).toMatchObject({
    'http.route': '/webhooks/cashfree',
    'http.response.status_code': 200,
  });
  await within(received, 'insert webhook_inbox');
  const processed = await within(received, 'process webhook');
  await within(processed, 'with vkyc_session');
  await within(processed, 'send frames', 'sending');
  const started = await found((span) => span.name === 'mutation startSession');
  expect(await found((span) => span.spanId === started.parentSpanId)).toMatchObject({
    name: 'POST /graphql',
  });
  await within(started, 'provider POST /vkyc');
  await found((span) => span.name === 'subscription statusTransitions' && span.service === 'sending');
  const refused = await found((span) => span.name === 'query session');
  expect(refused.attributes).toMatchObject({ 'error.type': 'BAD_USER_INPUT' });
  const job = await found((span) => span.name === 'reconcile');
  await within(job, /^select vkyc_session$/);

  const recorded = taking.output.find((line) => line.includes('recording requested')) as string;
  const asked = await found((span) => span.name === 'mutation requestRecording');
  expect(JSON.parse(recorded)).toMatchObject({
    trace_id: asked.traceId,
    request_id: expect.any(String),
  });

  await client.dispose();
  await Promise.all([taking.end('SIGTERM'), sending.end('SIGTERM')]);
  // The trace of a webhook must not contain the processing of other webhooks or the statements of timers.
  const ofTrace = collector.spans.filter((span) => span.traceId === sent.traceId).map(({ name }) => name);
  expect(ofTrace.filter((name) => name === 'process webhook')).toHaveLength(1);
  expect(ofTrace).not.toContain('select webhook_inbox');
  expect(ofTrace.filter((name) => name === 'with transition_outbox')).toHaveLength(1);
  const everything = collector.bodies.join('\n');
  expect(everything).toContain('mutation startSession');
  const marks = [...Object.values(KNOWN), link, requestRecording.recording.url, VERIFICATION, id];
  for (const mark of [...marks, 'Marked-Name', 'MarkedOperation', 'marked'])
    expect(everything.includes(mark), `the traces contain ${mark}`).toBe(false);
});

test('an unreachable collector of traces is reported in the log and does not delay the shutdown', async () => {
  const gateway = await startGatewayProcess({
    DATABASE_URL: await freshDatabase(),
    DATA_KEYS,
    // Nothing listens on this port, so the export of traces fails.
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_EXPORTER_OTLP_TIMEOUT: '300',
  });
  await gateway.graphql('{ viewer { id } }');

  await eventually(async () => gateway.output.some((line) => line.includes('could not export traces')));

  await gateway.graphql('{ viewer { id } }');
  const told = performance.now();
  expect(await gateway.end('SIGTERM')).toBe(0);
  expect(performance.now() - told).toBeLessThan(8_000);
});

test('without a configured collector the OpenTelemetry SDK is not loaded, and stored rows have no traceparent', async () => {
  const gateway = await bootGateway();
  await gateway.start('untraced.1');
  await gateway.webhook({ data: {} });

  const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) =>
    // Leaves out the package `@opentelemetry/api`: the metrics library loads it, and it does nothing without an SDK.
    /@opentelemetry.(?!api.)/.test(path),
  );
  expect(loaded).toEqual([]);
  const { rows } = await gateway.database.query(
    'select traceparent from status_transition union all select traceparent from webhook_inbox',
  );
  expect(rows.length).toBeGreaterThanOrEqual(2);
  expect(rows.every(({ traceparent }) => traceparent === null)).toBe(true);
});
