import { type Context, context } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BeginSpan, StartedSpan } from './span.ts';

/** Routes without spans: probes and metric scrapes come every few seconds, and nobody needs traces of them. */
const UNTRACED = ['/healthz', '/readyz', '/metrics'];

/**
 * Creates a span for each request. The span is named by the route, because the URL may contain ids and tokens.
 * The span of an event stream (SSE) lasts as long as the stream.
 */
export function traceRequests(
  server: FastifyInstance,
  begin: BeginSpan,
  withRequestId: (within: Context, id: string) => Context,
): void {
  const spans = new WeakMap<FastifyRequest, StartedSpan>();
  server.addHook('onRequest', (request, _reply, done) => {
    const { url: route = 'none' } = request.routeOptions;
    if (UNTRACED.includes(route)) return done();
    const { traceparent } = request.headers;
    const begun = begin(`${request.method} ${route}`, {
      kind: 'SERVER',
      from: typeof traceparent === 'string' ? traceparent : null,
      attributes: { 'http.request.method': request.method, 'http.route': route },
    });
    const span = { ...begun, within: withRequestId(begun.within, request.id) };
    spans.set(request, span);
    context.with(span.within, done);
  });
  // The events of a request body run in the async context of the socket, so the context of the span is restored
  // here.
  server.addHook('preValidation', (request, _reply, done) =>
    context.with(spans.get(request)?.within ?? context.active(), done),
  );
  server.addHook('onResponse', async (request, { statusCode }) =>
    spans
      .get(request)
      ?.end(statusCode >= 500 ? String(statusCode) : undefined, { 'http.response.status_code': statusCode }),
  );
}
