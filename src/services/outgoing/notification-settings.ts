import type { Locale } from '../../domain/locales.ts';
import type {
  AutomaticNotificationKind,
  NotificationChannel,
  QuietHours,
} from '../../domain/notifications.ts';

/** Settings of notifications of customers. */
export interface NotificationSettings {
  /** Kinds that the gateway sends by itself. */
  readonly automatic: readonly AutomaticNotificationKind[];
  readonly quietHours: QuietHours | null;
  /** Minutes before a meeting at which the customer is reminded; null: never. */
  readonly reminderMinutes: number | null;
  /** Language of customers who speak none that has texts. */
  readonly locale: Locale;
  /** IANA name of the time zone of times in texts. */
  readonly timeZone: string;
  /** Whether a mail server is configured. */
  readonly sendsEmail: boolean;
  /** Whether an endpoint of merchant webhooks gets `customer.notification_requested`. */
  readonly hasEndpoint: boolean;
}

/** Whether notifications can leave the gateway at all. */
export const canNotify = ({ sendsEmail, hasEndpoint }: NotificationSettings): boolean =>
  sendsEmail || hasEndpoint;

/** Returns the channel for a customer with this e-mail address; null if no channel reaches the customer. */
export const findNotificationChannel = (
  { sendsEmail, hasEndpoint }: NotificationSettings,
  email: string | null | undefined,
): NotificationChannel | null => {
  if (sendsEmail && email) return 'EMAIL';
  return hasEndpoint ? 'WEBHOOK' : null;
};
