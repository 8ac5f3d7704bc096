/** Starts the gateway: configuration, application, signals. The only file that does something when imported. */
import { type App, createApp } from './app.ts';
import { ConfigError, readConfig } from './config.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

try {
  const config = readConfig(process.env);
  const app = await createApp(config);
  const graphiql = config.introspection ? { graphiql: `${app.url}/graphiql` } : {};
  app.log.info(
    { graphql: `${app.url}/graphql`, ...graphiql, sandbox: app.sandboxUrl },
    'the gateway is ready',
  );
  for (const signal of SIGNALS) process.once(signal, () => void stop(app, signal));
} catch (error) {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : String((error as Error).stack ?? error)}\n`,
  );
  process.exitCode = 1;
}

async function stop(app: App, signal: string): Promise<void> {
  app.log.info({ signal }, 'stopping: finishing what is in hand');
  await app.stop();
  app.log.info('stopped');
}
