/** OpenTelemetry setup. Loaded only if traces are exported, because it adds a tenth of a second to every start. */
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
import { traceRequests } from './http-spans.ts';
import type { BeginSpan } from './span.ts';
import { traceStatements } from './sql-spans.ts';
import { setTracer, type Tracer } from './trace.ts';

const SERVICE = 'vkyc-gateway';
/**
 * Maximum time that `stop` waits for the last export, because a collector that does not answer must not delay
 * the shutdown.
 */
const FAREWELL_MS = 2_000;
const REQUEST_ID = createContextKey('request id');

export interface Tracing {
  /** Creates a span for each of the pool's statements that runs within a trace. */
  watchPool(pool: pg.Pool): void;
  /** Creates a span for each request, continuing the caller's trace. */
  watchServer(server: FastifyInstance): void;
  /** Returns the trace, span and request ids to add to every log line. */
  idsOfLog(): Record<string, string>;
  /** Sets the logger that reports failed exports of traces. */
  complainTo(log: Logger): void;
  /** Exports the remaining spans. */
  stop(): Promise<void>;
}

/**
 * Starts to export traces as OTLP over HTTP in JSON. OpenTelemetry reads the endpoint, sampling and names from the
 * environment (OTEL_EXPORTER_OTLP_*, OTEL_TRACES_SAMPLER*, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_BSP_*).
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
  setTracer(tracer);
  return {
    watchPool: (pool) => traceStatements(pool, beginSpan),
    watchServer: (server) =>
      traceRequests(server, beginSpan, (within, id) => within.setValue(REQUEST_ID, id)),
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
      // Logged without the error's message, which may contain any text that a collector answered.
      const complain = () => log.warn('could not export traces');
      const silent = () => {};
      diag.setLogger(
        { error: complain, warn: silent, info: silent, debug: silent, verbose: silent },
        { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
      );
    },
    async stop() {
      setTracer(null);
      await Promise.race([provider.shutdown(), wait(FAREWELL_MS, undefined, { ref: false })]);
      trace.disable();
      context.disable();
      propagation.disable();
      diag.disable();
    },
  };
}

const beginSpan: BeginSpan = (name, { kind = 'INTERNAL', from, attributes = {} }) => {
  const parent = from === undefined ? context.active() : parseContext(from);
  const span = trace.getTracer(SERVICE).startSpan(name, { kind: SpanKind[kind], attributes }, parent);
  return {
    within: trace.setSpan(parent, span),
    end(failure, more = {}) {
      span.setAttributes(more);
      if (failure !== undefined) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        span.setAttribute('error.type', getErrorKind(failure));
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
    const { within, end } = beginSpan(name, details);
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

/**
 * Continues a caller's trace by its traceparent only. Baggage and tracestate are ignored, because they could
 * contain any text, which would be passed on to other services.
 */
const parseContext = (traceparent: string | null): Context =>
  traceparent === null
    ? ROOT_CONTEXT
    : propagation.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter);

function getErrorKind(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : 'unknown';
  const { code, kind } = error as { code?: unknown; kind?: unknown };
  const named = [code, kind].find((each) => typeof each === 'string' && /^\w{1,40}$/.test(each));
  return (named as string | undefined) ?? error.name;
}
