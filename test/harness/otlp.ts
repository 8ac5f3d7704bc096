/** OpenTelemetry collector for tests: receives traces by OTLP over HTTP (JSON) and keeps them. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atTheEnd } from './gateway.ts';

export interface CollectedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface OtlpCollector {
  /**
   * Returns the environment that makes a process export its traces to this collector, under this service
   * name.
   */
  environmentOf(service: string): Record<string, string>;
  readonly spans: readonly CollectedSpan[];
  /** All request bodies that the collector received. */
  readonly bodies: readonly string[];
}

const contentOf = (value: Record<string, unknown>) => Object.values(value)[0];

export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: CollectedSpan[] = [];
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    if (request.url !== '/v1/traces') return void response.writeHead(404).end();
    bodies.push(body);
    for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans) {
      const service = resource.attributes.find(({ key }: any) => key === 'service.name').value.stringValue;
      for (const span of scopeSpans.flatMap((scope: any) => scope.spans)) {
        const attributes = Object.fromEntries(
          span.attributes.map((each: any) => [each.key, contentOf(each.value)]),
        );
        spans.push({ ...span, parentSpanId: span.parentSpanId || undefined, service, attributes });
      }
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atTheEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    environmentOf: (service) => ({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_SERVICE_NAME: service,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    }),
    spans,
    bodies,
  };
}
