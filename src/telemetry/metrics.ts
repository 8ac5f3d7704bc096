import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { IDENTITY_FIELDS } from '../domain/identity.ts';

/** A cheap answer takes a millisecond, one that nobody waits for any more ten seconds. */
const BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** So many different codes of the provider are told apart; a provider that makes them up must not fill the memory. */
const MOST_CODES = 100;

/** How a connection that stays open is served. */
export type LiveTransport = 'websocket' | 'sse';

/** What is counted, of one process. No label takes a value that a client or the provider could choose without end. */
export interface Metrics {
  /** In Prometheus' text format. */
  render(): Promise<string>;
  readonly contentType: string;
  /** Where gauges join that are asked for their value. */
  readonly registry: Registry;
  /** Seconds, of requests that were answered; streams and WebSockets are `connections`. */
  readonly requests: Histogram<'method' | 'route' | 'status'>;
  /** Seconds, of queries and mutations that were executed, on every transport. */
  readonly operations: Histogram<'kind' | 'field' | 'outcome'>;
  /** Errors that clients were told, by code. */
  readonly errors: Counter<'code'>;
  /** Refusals that mutations answered with, by code. */
  readonly refusals: Counter<'code'>;
  /** Seconds, of single attempts. */
  readonly providerCalls: Histogram<'endpoint' | 'purpose' | 'outcome'>;
  /** Error codes of the provider that none of its pages names, by HTTP status. */
  unmappedError(status: number, code: string): void;
  /** Webhooks received, by what became of them at the door. */
  readonly webhooks: Counter<'outcome'>;
  /** What was recorded by this process; its disputes are of verdict DISPUTED and DISPUTED_LATE. */
  readonly transitions: Counter<'source' | 'verdict'>;
  /** States of the provider that this release does not know. */
  readonly unrecognized: Counter;
  /** Fields of answers and webhooks that were recorded without them, since they could not be understood. */
  readonly ignoredFields: Counter<'field'>;
  /** Answers and webhooks that were refused because they name another verification or user than they should. */
  readonly mismatches: Counter<'source' | 'field'>;
  /** Begun, from now on or from the past: who comes back after a broken connection comes from the past. */
  readonly subscriptions: Counter<'log' | 'from'>;
  /** Seconds from the recording of a transition until most of those who follow it had been sent it. */
  readonly deliveries: Histogram<'log'>;
  /** Readers who were too slow, by what they were sent instead of what they missed; LOG: they read on from the log. */
  readonly overflows: Counter<'sent'>;
  /** Rewinds of the log that were found: a failover or a restore lost transitions that had been passed on. */
  readonly rewinds: Counter;
  /** Frames that failed for a fault of the gateway, and were executed again or cost the connection. */
  readonly failedFrames: Counter;
  /** Counts a connection from now until what is returned is called, with the code it closed with. */
  connected(transport: LiveTransport): (closeCode: number | null) => void;
}

/** All at zero. What Node itself has to tell is watched from the first scrape on: a start need not wait for it. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const seconds = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Histogram({ name, help, labelNames, buckets: BUCKETS_SECONDS, registers });

  const unmapped = counter(
    'vkyc_provider_unmapped_errors_total',
    'Error codes of the provider that none of its pages names.',
    'status',
    'code',
  );
  const codes = new Set<string>();
  const transitions = counter(
    'vkyc_transitions_total',
    'Transitions recorded, by whence they came and how they were judged.',
    'source',
    'verdict',
  );
  // Alerts look for an increase, and the first of a series that was not there is none.
  for (const source of ['WEBHOOK', 'POLL'])
    for (const verdict of ['DISPUTED', 'DISPUTED_LATE']) transitions.inc({ source, verdict }, 0);
  const mismatches = counter(
    'vkyc_provider_mismatches_total',
    'Answers and webhooks refused because they name another verification or user than they should.',
    'source',
    'field',
  );
  for (const source of ['ANSWER', 'WEBHOOK'])
    for (const field of IDENTITY_FIELDS) mismatches.inc({ source, field }, 0);
  const open = new Gauge({
    name: 'vkyc_connections',
    help: 'WebSockets and event streams that are open.',
    labelNames: ['transport'],
    registers,
  });
  const opened = counter(
    'vkyc_connections_opened_total',
    'WebSockets and event streams that were opened.',
    'transport',
  );
  const closed = counter(
    'vkyc_connections_closed_total',
    'Those that closed, by the close code of WebSocket.',
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
      'HTTP requests, from their head to the end of the answer; streams are not among them.',
      'method',
      'route',
      'status',
    ),
    operations: seconds(
      'vkyc_graphql_operation_duration_seconds',
      'Queries and mutations that were executed, by root field; OK, or the code of their first error.',
      'kind',
      'field',
      'outcome',
    ),
    errors: counter('vkyc_graphql_errors_total', 'GraphQL errors that clients were told.', 'code'),
    refusals: counter('vkyc_mutation_refusals_total', 'Mutations answered with why not.', 'code'),
    providerCalls: seconds(
      'vkyc_provider_call_duration_seconds',
      'Attempts to call the provider: OK, or what kind of failure came of it.',
      'endpoint',
      'purpose',
      'outcome',
    ),
    unmappedError(status, code) {
      if (codes.size < MOST_CODES) codes.add(code);
      unmapped.inc({ status, code: codes.has(code) ? code : 'other' });
    },
    webhooks: counter(
      'vkyc_webhooks_total',
      'Webhooks received, by what became of them at the door.',
      'outcome',
    ),
    transitions,
    unrecognized: counter(
      'vkyc_unrecognized_states_total',
      'Transitions whose state this release does not know.',
    ),
    ignoredFields: counter(
      'vkyc_provider_ignored_fields_total',
      'Fields of recorded answers and webhooks that were not understood and count as missing.',
      'field',
    ),
    mismatches,
    subscriptions: counter(
      'vkyc_subscriptions_started_total',
      'Subscriptions begun, from now on or from the past, as after a reconnect.',
      'log',
      'from',
    ),
    deliveries: seconds(
      'vkyc_feed_delivery_seconds',
      'From the recording of a transition until most of its followers here had been sent it.',
      'log',
    ),
    overflows: counter(
      'vkyc_feed_overflows_total',
      'Readers who were too slow: sent a SNAPSHOT or a RESET, or reading on from the LOG.',
      'sent',
    ),
    rewinds: counter(
      'vkyc_feed_rewinds_total',
      'Failovers and restores that lost transitions which subscribers here had been sent.',
    ),
    failedFrames: counter(
      'vkyc_feed_failed_frames_total',
      'Executions of a frame that failed; none of them is sent.',
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

/** Peers may close with any code of thousands: those of the protocols are told apart. */
function nameOfCode(code: number | null): string {
  if (code === null) return 'none';
  return (code >= 1000 && code <= 1015) || (code >= 4400 && code <= 4429) || code === 4500
    ? String(code)
    : 'other';
}
