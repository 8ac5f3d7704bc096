import { expect, test } from 'vitest';
import { startMetricsServer } from '../../src/http/metrics-server.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { atTheEnd } from '../harness/gateway.ts';

test('a scrape of /metrics gets 500 if a metric cannot be collected, and the next scrape gets 200', async () => {
  const metrics = createMetrics();
  let rendered = 0;
  const render = () => {
    rendered += 1;
    return rendered === 1 ? Promise.reject(new Error('a gauge failed')) : metrics.render();
  };
  const options = { host: '127.0.0.1', port: 0, isAllowedOrigin: () => true };
  const server = await startMetricsServer({ ...options, metrics: { ...metrics, render } });
  atTheEnd(() => server.stop());
  const scrape = async () => (await fetch(`http://127.0.0.1:${server.port}/metrics`)).status;

  expect([await scrape(), await scrape()]).toEqual([500, 200]);
});
