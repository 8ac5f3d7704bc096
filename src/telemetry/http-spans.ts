import { type Context, context } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BeginSpan, Begun } from './tracing.ts';

/** Asked every few seconds by machines, and of no interest to anybody. */
const UNTRACED = ['/healthz', '/readyz', '/metrics'];

/**
 * Has each request be a span, named by its route: what was asked may hold ids and tokens. A stream's lasts as long as the
 * stream.
 */
export function spanRequests(
  server: FastifyInstance,
  begin: BeginSpan,
  withRequestId: (within: Context, id: string) => Context,
): void {
  const spans = new WeakMap<FastifyRequest, Begun>();
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
  // The body came by events of the socket, in a context of its own.
  server.addHook('preValidation', (request, _reply, done) =>
    context.with(spans.get(request)?.within ?? context.active(), done),
  );
  server.addHook('onResponse', async (request, { statusCode }) =>
    spans
      .get(request)
      ?.end(statusCode >= 500 ? String(statusCode) : undefined, { 'http.response.status_code': statusCode }),
  );
}
