import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { ProviderCallLimits } from '../db/polling/call-budget.ts';
import type { Provider } from '../domain/ports.ts';
import { ProviderRegistry } from '../domain/providers.ts';
import { createCashfreeProvider } from '../provider/cashfree.ts';
import { type RunningSandbox, SANDBOX_CREDENTIALS, startSandbox } from '../sandbox/sandbox.ts';
import { createCallBudget, splitCallBudget } from '../services/polling/call-budget.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createMismatchObserver, type OnMismatch } from '../telemetry/mismatches.ts';
import { createCallAttemptMeter } from '../telemetry/provider-calls.ts';
import type { Core } from './core.ts';
import type { OpenedDatabase } from './database.ts';

/** The configured provider, or the sandbox in its place. */
export interface OpenedProvider {
  /** Provider that the settings name. Its calls go to the sandbox if no credentials are set. */
  readonly configured: Provider;
  /** All providers at which stored sessions may have been started. */
  readonly providers: ProviderRegistry;
  readonly limits: ProviderCallLimits;
  /** Running sandbox; null if the real provider is used. */
  readonly sandbox: RunningSandbox | null;
  /** Counts and logs provider updates that name another verification or user than expected. */
  readonly onMismatch: OnMismatch;
  /** Aborts provider calls that are waiting or in flight, so that a shutdown does not wait for the provider. */
  abortCalls(): void;
}

export async function openProvider(core: Core, { db }: OpenedDatabase): Promise<OpenedProvider> {
  const { config, overrides, log, metrics } = core;
  const stopping = new AbortController();
  const limits = splitCallBudget(config.provider.callsPerMinute);
  const { access, secrets, sandbox } = await findAccess(core);
  const onMismatch = createMismatchObserver(metrics, log);
  const cashfree = createCashfreeProvider({
    ...access,
    webhookSecrets: secrets,
    templates: config.templates,
    ...createCallEvents(metrics, log),
    onMismatch: (mismatch) => onMismatch({ source: 'ANSWER', ...mismatch }),
    budget: createCallBudget(db, limits, stopping.signal),
    stopping: stopping.signal,
  });
  const { provider: wrap = (unchanged) => unchanged, providers: addProviders } = overrides;
  const configured: Provider = { ...cashfree, calls: (purpose) => wrap(cashfree.calls(purpose)) };
  return {
    ...{ configured, limits, sandbox, onMismatch },
    providers: new ProviderRegistry(addProviders?.(configured) ?? [configured]),
    abortCalls: () => stopping.abort(),
  };
}

/**
 * Returns the provider's URL and credentials from the settings, or starts the sandbox and returns the sandbox's
 * URL and credentials.
 */
async function findAccess({ config, overrides, clock, lifecycle }: Core) {
  if (config.provider.kind === 'CASHFREE') {
    const { baseUrl, clientId, secrets, appId, publicKey } = config.provider;
    const clientSecret = secrets[0] as string;
    return { access: { baseUrl, clientId, clientSecret, appId, publicKey }, secrets, sandbox: null };
  }
  const { port, webhooks, speed, seed } = config.provider;
  const { manualSandbox } = overrides;
  // The embedded database outlives the process. The sandbox must therefore keep its verifications in a journal
  // file; otherwise it would not know the sessions in the database after a restart.
  const keepsJournal = config.database.kind === 'EMBEDDED' && !manualSandbox;
  const sandbox = await startSandbox({
    ...{ host: '127.0.0.1', port, clock, webhooks, seed },
    speed: manualSandbox ? null : speed,
    templates: config.templates,
    journalFile: keepsJournal ? resolve(config.dataDir, 'sandbox.jsonl') : null,
  });
  lifecycle.onStop(sandbox.stop);
  const { clientId, clientSecrets: secrets } = SANDBOX_CREDENTIALS;
  const access = {
    ...{ baseUrl: sandbox.baseUrl, clientId, clientSecret: secrets[0] },
    ...{ appId: 'sandbox', publicKey: null },
  };
  return { access, secrets, sandbox };
}

/** Callbacks through which the provider's client reports metrics and log messages. */
const createCallEvents = (metrics: Metrics, log: Logger) => ({
  onUnmappedError(status: number, code: string) {
    metrics.unmappedError(status, code);
    log.warn({ status, code }, 'provider answered with an undocumented error code');
  },
  watch: createCallAttemptMeter(metrics),
  onBreak(open: boolean) {
    if (open) log.warn('provider keeps failing; circuit breaker opened, calls are paused');
    else log.info('provider answers again; circuit breaker closed');
  },
});
