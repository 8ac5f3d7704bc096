import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from '../telemetry/metrics.ts';
import type { OriginCheck } from './csrf.ts';
import { RAW_RESPONSE_HEADERS } from './raw-response.ts';

const METHODS = ['GET', 'HEAD'];

interface MetricsServerOptions {
  readonly host: string;
  /** Port to listen on; 0 takes any free port. */
  readonly port: number;
  readonly metrics: Metrics;
  readonly isAllowedOrigin: OriginCheck;
}

export interface MetricsServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Serves only `/metrics`, on its own port: proxies in front of the API do not expose that port. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port, metrics, isAllowedOrigin } = options;
  const server = createServer(async ({ url, method = '', headers }, response) => {
    const status = !isAllowedOrigin(headers) ? 403 : url?.split('?')[0] !== '/metrics' ? 404 : 200;
    if (status !== 200 || !METHODS.includes(method)) {
      response.writeHead(status === 200 ? 405 : status, { ...RAW_RESPONSE_HEADERS, ...ALLOW });
      response.end(JSON.stringify(NOTHING_ELSE));
      return;
    }
    // Catches the rejection, because an unhandled rejection would end the process.
    const text = await metrics.render().catch(() => null);
    if (text === null) {
      response.writeHead(500, RAW_RESPONSE_HEADERS);
      response.end(JSON.stringify(NOT_COLLECTED));
      return;
    }
    response.writeHead(200, { ...RAW_RESPONSE_HEADERS, 'Content-Type': metrics.contentType });
    response.end(method === 'HEAD' ? undefined : text);
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const ALLOW = { Allow: METHODS.join(', ') };
const NOT_COLLECTED = {
  errors: [
    {
      message: 'The metrics could not be collected: retry the scrape.',
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    },
  ],
};
const NOTHING_ELSE = {
  errors: [{ message: 'This port serves only GET /metrics.', extensions: { code: 'NOT_FOUND' } }],
};
