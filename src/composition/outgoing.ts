import { DataAccessLog } from '../services/audit/data-access-log.ts';
import { EventDispatcher } from '../services/outgoing/event-dispatcher.ts';
import { createAttemptCounter } from '../telemetry/merchant-webhooks.ts';
import type { Core } from './core.ts';
import type { OpenedDatabase } from './database.ts';
import type { OpenedFeed } from './feed.ts';

/** Starts to deliver merchant webhooks; null if the settings name no endpoint: nothing is then written or sent. */
export async function openMerchantWebhooks(
  { config, overrides, clock, log, metrics, lifecycle }: Core,
  { db, sealer, auditKeys }: OpenedDatabase,
  { doorbell }: OpenedFeed,
): Promise<EventDispatcher | null> {
  if (!config.merchantWebhooks) return null;
  const { lookIntervalMs, merchantAnswerTimeoutMs: answerTimeoutMs } = overrides;
  const dispatcher = await EventDispatcher.start({
    ...{ db, clock, doorbell, log, sealer, ...config.merchantWebhooks },
    readLog: new DataAccessLog({ db, keys: auditKeys, clock }),
    ...(lookIntervalMs === undefined ? {} : { lookIntervalMs }),
    ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs }),
    onAttempt: createAttemptCounter(metrics),
  });
  lifecycle.onStop(() => dispatcher.stop());
  return dispatcher;
}
