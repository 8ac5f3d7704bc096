import { formatPersonalDataRowKey } from '../../db/audit/personal-data-reads.ts';
import type { DeliveryWithEventFacts } from '../../db/outgoing/deliveries.ts';
import { getNotificationSealingContext } from '../../db/sessions/notifications.ts';
import { getLinkSealingContext } from '../../db/sessions/sessions.ts';
import { decryptPersonalData } from '../../db/sessions/users.ts';
import { type MerchantEndpoint, NOTIFICATION_EVENT_TYPE } from '../../domain/merchant-events.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import type { DataAccessLog } from '../audit/data-access-log.ts';
import type { OpenedNotification } from './event-body.ts';

/**
 * Decrypts the notification of a delivery, and for an endpoint with `personalData` the customer's data. Returns null for
 * events of other types.
 */
export function openNotification(
  sealer: Sealer,
  { notification, sessionId }: DeliveryWithEventFacts,
  { personalData }: Pick<MerchantEndpoint, 'personalData'>,
): OpenedNotification | null {
  if (!notification) return null;
  const { id, text, link, userId, personal, isErased } = notification;
  const open = (hex: string, context: string) =>
    sealer.open(Buffer.from(hex, 'hex'), context).toString('utf8');
  const opened = { text: text === null ? null : open(text, getNotificationSealingContext(id)) };
  if (!personalData || isErased) return { ...opened, customer: null };
  const { name, phone, email } = decryptPersonalData(sealer, {
    id: userId,
    personal: Buffer.from(personal, 'hex'),
  });
  return {
    ...opened,
    customer: {
      ...{ name: name ?? null, phone: phone ?? null, email: email ?? null },
      link: link === null ? null : open(link, getLinkSealingContext(sessionId)),
    },
  };
}

/** Records in the read log that an endpoint is sent the customer's personal data. Rejects if it could not be recorded. */
export const recordNotificationRead = (
  readLog: DataAccessLog,
  { notification, sessionId }: DeliveryWithEventFacts,
  { name }: Pick<MerchantEndpoint, 'name'>,
): Promise<void> =>
  readLog.record({
    viewer: `webhook:${name}`,
    operations: [NOTIFICATION_EVENT_TYPE],
    fields: ['VkycUser.name', 'VkycUser.phone', 'VkycUser.email', 'VkycSession.link'],
    subjects: [
      formatPersonalDataRowKey('vkyc_session', sessionId),
      ...(notification ? [formatPersonalDataRowKey('vkyc_user', notification.userId)] : []),
    ],
  });
