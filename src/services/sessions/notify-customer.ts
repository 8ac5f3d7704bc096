import { z } from 'zod';
import type { Transaction } from '../../db/connection/client.ts';
import {
  findNotificationsById,
  insertNotifications,
  type NotificationRow,
} from '../../db/sessions/notifications.ts';
import { findReviewsOfSessions, getCustomerMessageSealingContext } from '../../db/sessions/reviews.ts';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import { decryptPersonalData, findUsersById } from '../../db/sessions/users.ts';
import { getRecordedName, type Viewer } from '../../domain/access.ts';
import { Refusal } from '../../domain/errors.ts';
import { invariant } from '../../domain/invariant.ts';
import { LOCALES, type Locale } from '../../domain/locales.ts';
import {
  findCustomerLocale,
  findNotificationDenial,
  formatNotificationText,
  NOTIFICATION_KINDS,
  type NotificationKind,
} from '../../domain/notifications.ts';
import { findCircumstance } from '../../domain/status.ts';
import { MAX_TEXT_CHARACTERS } from '../../domain/text.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { createNotification } from '../outgoing/create-notification.ts';
import { findNotificationChannel, type NotificationSettings } from '../outgoing/notification-settings.ts';
import {
  type ActionDependencies,
  actionInputSchema,
  performAction,
  throwIfDenied,
} from './perform-action.ts';
import {
  createKeyOfSchema,
  createRequiredTextSchema,
  parseOrRefuse,
  toOptionalSchema,
} from './validation.ts';

const notifyInput = actionInputSchema.extend({
  kind: createKeyOfSchema<NotificationKind>(NOTIFICATION_KINDS),
  locale: toOptionalSchema(createKeyOfSchema<Locale>(LOCALES)),
  text: toOptionalSchema(createRequiredTextSchema(MAX_TEXT_CHARACTERS.notification)),
  urgent: toOptionalSchema(z.boolean()),
});

/** Session after the request, the notification, and whether an earlier call with the same key requested it. */
export interface NotificationResult {
  readonly session: SessionRow;
  readonly notification: NotificationRow;
  readonly replayed: boolean;
}

export interface NotifyDependencies extends ActionDependencies {
  readonly notifications: NotificationSettings;
}

const NO_ADDRESS =
  'The customer has no e-mail address, and no endpoint in WEBHOOK_ENDPOINTS gets customer.notification_requested.';

/**
 * Requests a notification of the customer, and records it in the session's log. It is sent when it is due, after the
 * quiet hours unless it is urgent.
 *
 * @throws Refusal
 */
export async function notifyCustomer(
  dependencies: NotifyDependencies,
  viewer: Viewer,
  raw: unknown,
): Promise<NotificationResult> {
  const { clock, sealer, notifications: settings, db } = dependencies;
  const input = parseOrRefuse(notifyInput, raw);
  const { kind, urgent = false } = input;
  const { outcomeId, ...performed } = await performAction(
    dependencies,
    viewer,
    'NOTIFY',
    input,
    async (writer, session, facts) => {
      const { tx } = writer;
      const now = clock.now();
      throwIfDenied('NOTIFY', session, findNotificationDenial(kind, facts, now));
      const [user] = await findUsersById(tx, [session.userId]);
      invariant(user, 'session has no user');
      const channel = findNotificationChannel(settings, decryptPersonalData(sealer, user).email);
      if (channel === null)
        throw new Refusal('ACTION_NOT_ALLOWED', NO_ADDRESS, { sessionId: session.id, action: 'NOTIFY' });
      const locale = input.locale ?? findCustomerLocale(session.languages, settings.locale);
      const text =
        input.text ??
        formatNotificationText(
          kind,
          locale,
          {
            subStatus: session.subStatus,
            circumstance: findCircumstance(session, now),
            meetingAt: facts.meetingAt,
            customerMessage: kind === 'DECISION' ? await findDecisionMessage(tx, sealer, session) : null,
          },
          settings.timeZone,
        );
      const author = getRecordedName(viewer);
      const by = { source: 'MUTATION', actor: author } as const;
      const after = await writer.applyOwn(session, session, 'NOTIFIED', by);
      const cause = { sessionId: session.id, sequence: after.lastSequence, kind };
      const notification = createNotification(
        sealer,
        settings,
        { ...cause, channel, locale, text, urgent, requestedBy: author },
        now,
      );
      const { id } = notification;
      writer.changes.addAnnotation({
        ...{ id, sessionId: session.id, sequence: after.lastSequence },
        ...{ kind: 'NOTIFICATION', code: kind, text, author, recordedAt: now },
      });
      tx.start(insertNotifications([notification]));
      return { session: after, outcomeId: id };
    },
  );
  const [notification] = await findNotificationsById(db, [outcomeId]);
  invariant(notification, 'NOTIFY committed but its notification is missing');
  return { ...performed, notification };
}

/**
 * Returns the customer message of the review that set the session's current status; null if no review set it, or if the
 * review has no message.
 */
async function findDecisionMessage(
  tx: Transaction,
  sealer: Sealer,
  { id, version }: SessionRow,
): Promise<string | null> {
  const review = (await findReviewsOfSessions(tx, [id])).find(({ sequence }) => sequence === version);
  if (!review?.customerMessage) return null;
  return sealer.open(review.customerMessage, getCustomerMessageSealingContext(review.id)).toString('utf8');
}
