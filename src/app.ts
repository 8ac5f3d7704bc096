import type { Logger } from 'pino';
import { createCore, type TestOverrides } from './composition/core.ts';
import { openDatabase } from './composition/database.ts';
import { openFeed } from './composition/feed.ts';
import { createGraphqlPipeline, createResolverServices } from './composition/graphql.ts';
import { serveHttp } from './composition/http.ts';
import { openNotifications } from './composition/notifications.ts';
import { openMerchantWebhooks } from './composition/outgoing.ts';
import { openProvider } from './composition/provider.ts';
import { openTransitions } from './composition/transitions.ts';
import type { Config } from './config.ts';
import { getWebhookPath } from './http/webhooks.ts';

export interface App {
  /** URL of the gateway, such as http://127.0.0.1:4000 */
  readonly url: string;
  /** URL that Prometheus scrapes. */
  readonly metricsUrl: string;
  /** Base URL of the sandbox; null if the real provider is used. */
  readonly sandboxUrl: string | null;
  readonly log: Logger;
  /**
   * Stops all parts in the reverse order of their start: reports not ready, asks subscribers to reconnect to
   * another replica, and finishes requests in flight.
   */
  stop(): Promise<void>;
}

/**
 * Starts the gateway, and resolves when the gateway listens. Each part gets the parts that it needs as
 * arguments (dependency injection without a framework). If a part fails to start, the parts started before it
 * are stopped.
 */
export async function startApp(config: Config, overrides: TestOverrides = {}): Promise<App> {
  const core = await createCore(config, overrides);
  const { log, lifecycle } = core;
  try {
    const database = await openDatabase(core);
    const provider = await openProvider(core, database);
    const feed = openFeed(core, database, provider);
    const transitions = openTransitions(core, database, provider, feed);
    const outgoing = await openMerchantWebhooks(core, database, feed);
    await openNotifications(core, database, feed, transitions);
    const services = createResolverServices(core, database, provider, feed, transitions);
    const graphql = await createGraphqlPipeline(core, services, database);
    const { url, metricsUrl } = await serveHttp({
      ...{ core, database, provider, feed, transitions, outgoing, graphql },
    });
    const { sandbox, configured } = provider;
    sandbox?.deliverTo(`${url}${getWebhookPath(configured)}`);
    return { url, metricsUrl, sandboxUrl: sandbox?.baseUrl ?? null, log, stop: () => lifecycle.stop() };
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}
