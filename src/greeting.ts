import { resolve } from 'node:path';
import type { Config } from './config.ts';

interface GatewayUrls {
  readonly url: string;
  readonly consoleUrl: string;
  readonly graphiqlUrl: string | null;
  readonly sandboxUrl: string | null;
}

/** Returns the addresses at which a running gateway serves its API, its web pages and its sandbox. */
export const buildGatewayUrls = (
  { introspection }: Config,
  { url, sandboxUrl }: { url: string; sandboxUrl: string | null },
): GatewayUrls => ({
  url,
  consoleUrl: `${url}/console`,
  graphiqlUrl: introspection ? `${url}/graphiql` : null,
  sandboxUrl: sandboxUrl && new URL('/_sandbox', sandboxUrl).href,
});

/** Returns the text that is shown at a terminal once the gateway is ready. */
export function formatGreeting(
  config: Config,
  { url, consoleUrl, graphiqlUrl, sandboxUrl }: GatewayUrls,
): string {
  const { database, dataDir, provider } = config;
  const lines: [name: string, value: string | null][] = [
    ['Console', consoleUrl],
    ['GraphiQL', graphiqlUrl],
    ['GraphQL', `${url}/graphql`],
    provider.kind === 'SANDBOX' ? ['Sandbox', sandboxUrl] : ['Provider', provider.baseUrl],
    ['Data', database.kind === 'EMBEDDED' ? resolve(dataDir) : 'PostgreSQL of DATABASE_URL'],
    ['Stop', 'Ctrl-C'],
  ];
  const shown = lines.flatMap(([name, value]) => (value === null ? [] : `  ${name.padEnd(10)}${value}\n`));
  return `\nvkyc-gateway is ready.\n\n${shown.join('')}\n`;
}
