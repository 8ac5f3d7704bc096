/**
 * Entry point of the gateway: reads the settings, starts the application and handles signals. Importing this
 * module starts the gateway.
 */
import { constants } from 'node:os';
import { type App, startApp } from './app.ts';
import { type Config, readConfig } from './config.ts';
import { buildGatewayUrls, formatGreeting } from './greeting.ts';
import { assertPortsFree, explainStartFailure } from './start-failures.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/**
 * Ctrl-C arrives twice, from the terminal and from npm: a second signal within this time counts as the same
 * one.
 */
const REPEATED_SIGNAL_MS = 500;

let config: Config | null = null;
let app: App | null = null;
let signalledAt: number | null = null;

for (const signal of SIGNALS) process.on(signal, onSignal);

try {
  config = readConfig(process.env, { terminal: process.stdout.isTTY });
  await assertPortsFree(config);
  app = await startApp(config);
  announce(config, app);
} catch (error) {
  process.stderr.write(`${explainStartFailure(error, config) ?? (error as Error).stack ?? error}\n`);
  process.exitCode = 1;
}

function announce(config: Config, { log, ...app }: App): void {
  const addresses = buildGatewayUrls(config, app);
  if (config.logFormat === 'text') {
    process.stdout.write(formatGreeting(config, addresses));
  } else {
    const { url, consoleUrl: console, graphiqlUrl } = addresses;
    const graphiql = graphiqlUrl ? { graphiql: graphiqlUrl } : {};
    log.info(
      {
        graphql: `${url}/graphql`,
        console,
        ...graphiql,
        metrics: app.metricsUrl,
        sandbox: app.sandboxUrl,
      },
      'the gateway is ready',
    );
  }
}

/**
 * Stops the gateway cleanly at the first signal. A second signal, or a signal before the gateway is ready,
 * ends the process immediately.
 */
function onSignal(signal: NodeJS.Signals): void {
  const now = Date.now();
  if (signalledAt !== null && now - signalledAt < REPEATED_SIGNAL_MS) return;
  if (!app || signalledAt !== null) process.exit(128 + constants.signals[signal]);
  signalledAt = now;
  void stop(app, signal);
}

async function stop({ log, stop }: App, signal: string): Promise<void> {
  log.info({ signal }, 'stopping; finishing requests in flight');
  await stop();
  log.info('stopped');
}
