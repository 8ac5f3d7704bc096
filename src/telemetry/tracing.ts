/** OpenTelemetry. Loaded where traces are exported, and nowhere else: it would cost every start a tenth of a second. */
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Context,
  context,
  createContextKey,
  DiagLogLevel,
  defaultTextMapGetter,
  diag,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { FastifyInstance } from 'fastify';
import type pg from 'pg';
import type { Logger } from 'pino';
import { spanRequests } from './http-spans.ts';
import { spanStatements } from './sql-spans.ts';
import { type SpanDetails, type Tracer, traceBy } from './trace.ts';

const SERVICE = 'vkyc-gateway';
/** A collector that does not answer must not hold up a stop. */
const FAREWELL_MS = 2_000;
const REQUEST_ID = createContextKey('request id');

export interface Tracing {
  /** A span for each statement of the pool within a trace. */
  watchPool(pool: pg.Pool): void;
  /** A span for each request, with which a caller's trace goes on. */
  watchServer(server: FastifyInstance): void;
  /** What every line of the log carries. */
  idsOfLog(): Record<string, string>;
  /** Says in the log, from here on, when traces could not be exported. */
  complainTo(log: Logger): void;
  /** Sends what is still to be sent. */
  stop(): Promise<void>;
}

/**
 * Exports traces as OTLP over HTTP in JSON, from here on. Where to, how many and under which name is OpenTelemetry's own
 * to read from the environment (OTEL_EXPORTER_OTLP_*, OTEL_TRACES_SAMPLER*, OTEL_SERVICE_NAME,
 * OTEL_RESOURCE_ATTRIBUTES, OTEL_BSP_*).
 */
export function startTracing(): Tracing {
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': SERVICE }))
    .merge(detectResources({ detectors: [envDetector] }));
  const provider = new NodeTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  traceBy(tracer);
  return {
    watchPool: (pool) => spanStatements(pool, spanOf),
    watchServer: (server) => spanRequests(server, spanOf, (within, id) => within.setValue(REQUEST_ID, id)),
    idsOfLog() {
      const within = context.active();
      const { traceId, spanId } = trace.getSpanContext(within) ?? {};
      const requestId = within.getValue(REQUEST_ID);
      return {
        ...(traceId && spanId ? { trace_id: traceId, span_id: spanId } : {}),
        ...(typeof requestId === 'string' ? { request_id: requestId } : {}),
      };
    },
    complainTo(log) {
      // Not what it says: that may be whatever a collector answered.
      const complain = () => log.warn('traces could not be exported');
      const silent = () => {};
      diag.setLogger(
        { error: complain, warn: silent, info: silent, debug: silent, verbose: silent },
        { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
      );
    },
    async stop() {
      traceBy(null);
      await Promise.race([provider.shutdown(), wait(FAREWELL_MS, undefined, { ref: false })]);
      trace.disable();
      context.disable();
      propagation.disable();
      diag.disable();
    },
  };
}

/** A span that has begun, and the context of what happens within it. */
export interface Begun {
  readonly within: Context;
  /** Of its end: an error by its kind, or code, alone: messages may repeat what somebody wrote. */
  end(failure?: unknown, attributes?: SpanDetails['attributes']): void;
}

export type BeginSpan = (name: string, details: Pick<SpanDetails, 'kind' | 'from' | 'attributes'>) => Begun;

const spanOf: BeginSpan = (name, { kind = 'INTERNAL', from, attributes = {} }) => {
  const parent = from === undefined ? context.active() : contextOf(from);
  const span = trace.getTracer(SERVICE).startSpan(name, { kind: SpanKind[kind], attributes }, parent);
  return {
    within: trace.setSpan(parent, span),
    end(failure, more = {}) {
      span.setAttributes(more);
      if (failure !== undefined) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        span.setAttribute('error.type', kindOf(failure));
      }
      span.end();
    },
  };
};

const tracer: Tracer = {
  traceparent() {
    const carrier: { traceparent?: string } = {};
    propagation.inject(context.active(), carrier);
    return carrier.traceparent ?? null;
  },
  detached: (work) => context.with(ROOT_CONTEXT, work),
  bound: (work) => context.bind(context.active(), work),
  async span(name, details, work) {
    const { within, end } = spanOf(name, details);
    try {
      const result = await context.with(within, work);
      end(details.failureIn?.(result));
      return result;
    } catch (error) {
      end(error);
      throw error;
    }
  },
};

/** Of a caller's headers the traceparent alone: what else comes with it is theirs to write, and would be passed on. */
const contextOf = (traceparent: string | null): Context =>
  traceparent === null
    ? ROOT_CONTEXT
    : propagation.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter);

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : 'unknown';
  const { code, kind } = error as { code?: unknown; kind?: unknown };
  const named = [code, kind].find((each) => typeof each === 'string' && /^\w{1,40}$/.test(each));
  return (named as string | undefined) ?? error.name;
}
