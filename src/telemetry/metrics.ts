import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { IDENTITY_FIELDS } from '../domain/identity.ts';

/**
 * Upper bounds of the buckets of all histograms, in seconds: from a cheap response (2 ms) to a response so slow
 * that no client waits for it (10 s).
 */
const BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Maximum number of distinct provider error codes as label values. Without a limit, a provider that sends ever
 * new codes would fill the memory.
 */
const MAX_CODES = 100;

/** Transport of a connection that stays open. */
export type LiveTransport = 'websocket' | 'sse';

/**
 * Metrics of one process. No label takes values that clients or the provider can choose freely, because each
 * label value is a time series and costs memory (cardinality).
 */
export interface Metrics {
  /** Returns all metrics in Prometheus' text format. */
  render(): Promise<string>;
  readonly contentType: string;
  /** Prometheus registry of all metrics of this process. `registerGauges` adds further gauges to the registry. */
  readonly registry: Registry;
  /** Duration of answered requests in seconds; streams and WebSockets are counted by `connected` instead. */
  readonly requests: Histogram<'method' | 'route' | 'status'>;
  /** Duration of executed queries and mutations in seconds, on every transport. */
  readonly operations: Histogram<'kind' | 'field' | 'outcome'>;
  /** GraphQL errors sent to clients, by code. */
  readonly errors: Counter<'code'>;
  /** Refusals returned by mutations, by code. */
  readonly refusals: Counter<'code'>;
  /** Duration of each attempt to call the provider, in seconds. */
  readonly providerCalls: Histogram<'endpoint' | 'purpose' | 'outcome'>;
  /** Counts an error code that the provider does not document, by HTTP status. */
  unmappedError(status: number, code: string): void;
  /** Received webhooks, by outcome: what the gateway did with the webhook. */
  readonly webhooks: Counter<'outcome'>;
  /** Attempts to deliver merchant webhooks, by endpoint and outcome. */
  readonly merchantAttempts: Counter<'endpoint' | 'outcome'>;
  /** Notifications of customers that were sent or failed for good, by kind, channel and outcome. */
  readonly notifications: Counter<'kind' | 'channel' | 'outcome'>;
  /** Transitions recorded by this process. Disputes have the verdicts DISPUTED and DISPUTED_LATE. */
  readonly transitions: Counter<'source' | 'verdict'>;
  /** Transitions whose status from the provider is unknown to this release (UNRECOGNIZED). */
  readonly unrecognized: Counter;
  /** Fields of provider answers and webhooks that could not be parsed; the update was recorded without them. */
  readonly ignoredFields: Counter<'field'>;
  /** Answers and webhooks refused because they name another verification or user than expected. */
  readonly mismatches: Counter<'source' | 'field'>;
  /**
   * Started subscriptions, by whether they begin with the present or resume at a cursor in the past, as after a
   * reconnect.
   */
  readonly subscriptions: Counter<'log' | 'from'>;
  /**
   * Seconds from the recording of a transition until the live subscribers of a group (those that select the
   * same fields) had been sent the transition.
   */
  readonly deliveries: Histogram<'log'>;
  /**
   * Resyncs of subscribers that missed frames, by the kind of frames they were sent: a SNAPSHOT of the session,
   * a RESET of the feed, or the missed frames themselves, read from the LOG.
   */
  readonly overflows: Counter<'sent'>;
  /**
   * Detected rewinds of the log: a failover or a restore lost transitions that had already been sent to
   * subscribers.
   */
  readonly rewinds: Counter;
  /**
   * Executions of subscription frames that failed because of an internal error. The execution was retried, or
   * the connection was closed.
   */
  readonly failedFrames: Counter;
  /**
   * Messages of the doorbell (notifications between replicas) that could not be parsed. After such a message
   * the process reads its logs from the database.
   */
  readonly strangeRings: Counter;
  /**
   * Counts a connection as open until the returned function is called with the close code of the connection.
   */
  connected(transport: LiveTransport): (closeCode: number | null) => void;
}

/** Creates all metrics, at zero. Node's own metrics are collected from the first scrape on, to keep the start fast. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const seconds = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Histogram({ name, help, labelNames, buckets: BUCKETS_SECONDS, registers });

  const unmapped = counter(
    'vkyc_provider_unmapped_errors_total',
    'Provider answers with an error code that the provider does not document.',
    'status',
    'code',
  );
  const codes = new Set<string>();
  const transitions = counter(
    'vkyc_transitions_total',
    'Recorded transitions, by source and verdict.',
    'source',
    'verdict',
  );
  // Initializes these series at 0: alerts look for an increase, and a series that first appears with the value
  // 1 shows no increase.
  for (const source of ['WEBHOOK', 'POLL'])
    for (const verdict of ['DISPUTED', 'DISPUTED_LATE']) transitions.inc({ source, verdict }, 0);
  const mismatches = counter(
    'vkyc_provider_mismatches_total',
    'Provider answers and webhooks that were ignored because they name another verification or user than expected.',
    'source',
    'field',
  );
  for (const source of ['ANSWER', 'WEBHOOK'])
    for (const field of IDENTITY_FIELDS) mismatches.inc({ source, field }, 0);
  const open = new Gauge({
    name: 'vkyc_connections',
    help: 'Open WebSockets and event streams (SSE), by transport.',
    labelNames: ['transport'],
    registers,
  });
  const opened = counter(
    'vkyc_connections_opened_total',
    'WebSockets and event streams (SSE) opened since the start, by transport.',
    'transport',
  );
  const closed = counter(
    'vkyc_connections_closed_total',
    'WebSockets and event streams (SSE) closed since the start, by transport and WebSocket close code.',
    'transport',
    'code',
  );

  let watchesProcess = false;
  return {
    async render() {
      if (!watchesProcess) collectDefaultMetrics({ register: registry });
      watchesProcess = true;
      return registry.metrics();
    },
    contentType: registry.contentType,
    registry,
    requests: seconds(
      'vkyc_http_request_duration_seconds',
      'Duration of HTTP requests in seconds, from the headers to the end of the response, without streams.',
      'method',
      'route',
      'status',
    ),
    operations: seconds(
      'vkyc_graphql_operation_duration_seconds',
      'Duration of queries and mutations in seconds, by root field and outcome: OK, or the code of the first error.',
      'kind',
      'field',
      'outcome',
    ),
    errors: counter('vkyc_graphql_errors_total', 'GraphQL errors sent to clients, by code.', 'code'),
    refusals: counter('vkyc_mutation_refusals_total', 'Mutations that returned a refusal, by code.', 'code'),
    providerCalls: seconds(
      'vkyc_provider_call_duration_seconds',
      'Duration of provider calls in seconds, each attempt by itself, by outcome: OK, or the kind of failure.',
      'endpoint',
      'purpose',
      'outcome',
    ),
    unmappedError(status, code) {
      if (codes.size < MAX_CODES) codes.add(code);
      unmapped.inc({ status, code: codes.has(code) ? code : 'other' });
    },
    webhooks: counter('vkyc_webhooks_total', 'Received webhooks, by outcome.', 'outcome'),
    notifications: counter(
      'vkyc_notifications_total',
      'Notifications of customers that were sent (SENT) or failed for good (FAILED), by kind and channel.',
      'kind',
      'channel',
      'outcome',
    ),
    merchantAttempts: counter(
      'vkyc_merchant_attempts_total',
      'Attempts to deliver merchant webhooks, by endpoint and outcome: 2xx is accepted.',
      'endpoint',
      'outcome',
    ),
    transitions,
    unrecognized: counter(
      'vkyc_unrecognized_states_total',
      'Recorded transitions whose status this release does not know (UNRECOGNIZED).',
    ),
    ignoredFields: counter(
      'vkyc_provider_ignored_fields_total',
      'Fields of provider answers and webhooks that could not be parsed and were treated as missing.',
      'field',
    ),
    mismatches,
    subscriptions: counter(
      'vkyc_subscriptions_started_total',
      'Started subscriptions, by log, and by whether they began live or resumed from a cursor.',
      'log',
      'from',
    ),
    deliveries: seconds(
      'vkyc_feed_delivery_seconds',
      'Seconds from recording a transition until the live subscribers of a group (same selection) had been sent it, by log.',
      'log',
    ),
    overflows: counter(
      'vkyc_feed_overflows_total',
      'Resyncs of subscribers that could not resume, by what they were sent: a SNAPSHOT, a RESET, or the missed frames from the LOG.',
      'sent',
    ),
    rewinds: counter(
      'vkyc_feed_rewinds_total',
      'Failovers and restores that lost transitions which this process had already sent to subscribers.',
    ),
    failedFrames: counter(
      'vkyc_feed_failed_frames_total',
      'Frame executions that failed because of an internal error; their results are never sent.',
    ),
    strangeRings: counter(
      'vkyc_doorbell_not_understood_total',
      'Doorbell messages that could not be parsed.',
    ),
    connected(transport) {
      open.inc({ transport });
      opened.inc({ transport });
      return (closeCode) => {
        open.dec({ transport });
        closed.inc({ transport, code: nameOfCode(closeCode) });
      };
    },
  };
}

/**
 * Returns the label value of a WebSocket close code. A client may close with thousands of different codes, so
 * only the codes of the WebSocket and graphql-ws protocols get their own label value.
 */
function nameOfCode(code: number | null): string {
  if (code === null) return 'none';
  return (code >= 1000 && code <= 1015) || (code >= 4400 && code <= 4429) || code === 4500
    ? String(code)
    : 'other';
}
