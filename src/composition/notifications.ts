import type { Config } from '../config.ts';
import { NOTIFICATION_EVENT_TYPE } from '../domain/merchant-events.ts';
import { Mailer } from '../services/outgoing/mailer.ts';
import { canNotify, type NotificationSettings } from '../services/outgoing/notification-settings.ts';
import { NotificationWorker } from '../services/outgoing/notification-worker.ts';
import type { Core } from './core.ts';
import type { OpenedDatabase } from './database.ts';
import type { OpenedFeed } from './feed.ts';
import type { OpenedTransitions } from './transitions.ts';

const findNotifiedEndpoints = ({ merchantWebhooks }: Config) =>
  (merchantWebhooks?.endpoints ?? []).filter(({ events }) => events.includes(NOTIFICATION_EVENT_TYPE));

/** Returns the settings of notifications, with the ways on which they can leave the gateway. */
export function readNotificationSettings(config: Config): NotificationSettings {
  const { smtp, ...settings } = config.notifications;
  return { ...settings, sendsEmail: smtp !== null, hasEndpoint: findNotifiedEndpoints(config).length > 0 };
}

/**
 * Starts to send notifications of customers. Does nothing if the settings name no way to send them: no cursor is then
 * read, and no notification can be requested.
 */
export async function openNotifications(
  { config, overrides, clock, log, metrics, lifecycle }: Core,
  { db, sealer }: OpenedDatabase,
  { doorbell }: OpenedFeed,
  { unitOfWork }: OpenedTransitions,
): Promise<void> {
  const settings = readNotificationSettings(config);
  if (!canNotify(settings)) return;
  const { lookIntervalMs } = overrides;
  const { smtp } = config.notifications;
  const worker = await NotificationWorker.start({
    ...{ db, clock, doorbell, log, sealer, settings, unitOfWork, endpoints: findNotifiedEndpoints(config) },
    mailer: smtp ? new Mailer(smtp) : null,
    onOutcome: (kind, channel, outcome) => metrics.notifications.inc({ kind, channel, outcome }),
    ...(lookIntervalMs === undefined ? {} : { lookIntervalMs }),
  });
  lifecycle.onStop(() => worker.stop());
}
