import { type Doorbell, systemClock } from '../domain/ports.ts';
import { ProviderRegistry } from '../domain/providers.ts';
import { createLogger } from '../logging.ts';
import { createCashfreeProvider } from '../provider/cashfree.ts';
import { PROVIDER_API_PREFIX } from '../sandbox/api.ts';
import { SANDBOX_CREDENTIALS } from '../sandbox/sandbox.ts';
import { createCallBudget, splitCallBudget } from '../services/polling/call-budget.ts';
import { PollFairShare } from '../services/polling/fair-share.ts';
import type { ImportDependencies } from '../services/polling/import-verification.ts';
import { UnitOfWork } from '../services/transitions/unit-of-work.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { CommandDatabase } from './open-database.ts';

/**
 * Doorbell (notification between replicas) that notifies no replica: running gateways poll the log every two
 * seconds anyway.
 */
const SILENT_DOORBELL: Doorbell = { ring() {}, listen: () => () => {}, async stop() {} };

export interface CommandProvider extends ImportDependencies {
  /** Share of the call budget that polls may use, in calls a minute. */
  readonly pollsPerMinute: number;
  close(): void;
}

/**
 * Opens the provider for a command, with the gateway's settings. The command's calls count as polls in the
 * call budget that all gateways share. If the sandbox is the provider, it must already run. Running gateways
 * send to their subscribers what the command records.
 */
export function openCommandProvider({ db, sealer, auditKeys, config }: CommandDatabase): CommandProvider {
  const log = createLogger({ level: 'silent', format: 'json' });
  const limits = splitCallBudget(config.provider.callsPerMinute);
  const clock = systemClock;
  const fairShare = new PollFairShare({
    ...{ db, pollsPerMinute: limits.polls, log },
    meetingGraceMinutes: config.meetingGraceMinutes,
    confirmDays: config.decisionConfirmDays,
  });
  const unitOfWork = new UnitOfWork({
    ...{ db, clock, sealer, auditKeys, fairShare, deadlines: config.deadlines, log },
    doorbell: SILENT_DOORBELL,
    metrics: createMetrics(),
    onMismatch() {},
  });
  return {
    ...{ db, clock, sealer, unitOfWork },
    providers: createCommandProviders({ db, config }).clients('POLL'),
    pollsPerMinute: limits.polls,
    close: () => fairShare.stop(),
  };
}

/** Creates all providers at which stored sessions may have been started, for a command. */
export function createCommandProviders({
  db,
  config,
}: Pick<CommandDatabase, 'db' | 'config'>): ProviderRegistry {
  const limits = splitCallBudget(config.provider.callsPerMinute);
  const cashfree = createCashfreeProvider({
    ...accessOf(config.provider),
    budget: createCallBudget(db, limits, new AbortController().signal),
    stopping: new AbortController().signal,
    onUnmappedError() {},
    watch: (_endpoint, _purpose, attempt) => attempt(),
    onBreak() {},
    onMismatch() {},
  });
  return new ProviderRegistry([cashfree]);
}

function accessOf(provider: CommandDatabase['config']['provider']) {
  if (provider.kind === 'CASHFREE') {
    const { baseUrl, clientId, secrets, appId, publicKey } = provider;
    return {
      baseUrl,
      clientId,
      clientSecret: secrets[0] as string,
      webhookSecrets: secrets,
      appId,
      publicKey,
    };
  }
  const { clientId, clientSecrets } = SANDBOX_CREDENTIALS;
  const baseUrl = `http://127.0.0.1:${provider.port}${PROVIDER_API_PREFIX}`;
  return {
    ...{ baseUrl, clientId, clientSecret: clientSecrets[0] },
    ...{ webhookSecrets: clientSecrets, appId: null, publicKey: null },
  };
}
