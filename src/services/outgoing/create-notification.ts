import { v7 as uuidv7 } from 'uuid';
import { getNotificationSealingContext, type NotificationRow } from '../../db/sessions/notifications.ts';
import { findNextAllowedTime } from '../../domain/notifications.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import type { NotificationSettings } from './notification-settings.ts';

type Given = Pick<
  NotificationRow,
  'sessionId' | 'sequence' | 'kind' | 'channel' | 'locale' | 'urgent' | 'requestedBy'
> & { readonly text: string };

/** Creates the row of a notification that is due now, or after the quiet hours unless it is urgent. */
export function createNotification(
  sealer: Sealer,
  { quietHours }: Pick<NotificationSettings, 'quietHours'>,
  { text, ...given }: Given,
  now: Date,
): NotificationRow {
  const id = uuidv7();
  return {
    ...{ id, ...given },
    text: sealer.seal(text, getNotificationSealingContext(id)),
    ...{ state: 'QUEUED', released: false, attempts: 0, outcome: null, settledAt: null },
    dueAt: given.urgent ? now : findNextAllowedTime(now, quietHours),
    queuedAt: now,
  };
}
