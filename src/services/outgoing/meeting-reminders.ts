import type { Database } from '../../db/connection/client.ts';
import { findMeetingsWithoutReminder } from '../../db/outgoing/notifications.ts';
import { insertNotifications } from '../../db/sessions/notifications.ts';
import { lockVisibleSessionById } from '../../db/sessions/sessions.ts';
import { decryptPersonalData, findUsersById } from '../../db/sessions/users.ts';
import { invariant } from '../../domain/invariant.ts';
import { findCustomerLocale, formatNotificationText } from '../../domain/notifications.ts';
import type { Clock } from '../../domain/ports.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import type { TransitionWriter } from '../transitions/transition-writer.ts';
import type { UnitOfWork } from '../transitions/unit-of-work.ts';
import { createNotification } from './create-notification.ts';
import { findNotificationChannel, type NotificationSettings } from './notification-settings.ts';

/** Author of annotations that the gateway makes by itself. */
const GATEWAY = 'gateway';

interface ReminderDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly settings: NotificationSettings;
  readonly unitOfWork: UnitOfWork;
}

/**
 * Records a reminder for each meeting that begins soon and has none, with a transition of its own, because no other
 * transition is its cause. Idempotent: the row lock and the notification prevent a second one by another replica.
 */
export async function recordMeetingReminders(dependencies: ReminderDependencies): Promise<void> {
  const { db, clock, settings, unitOfWork } = dependencies;
  const { reminderMinutes } = settings;
  if (reminderMinutes === null) return;
  for (const { sessionId } of await findMeetingsWithoutReminder(db, null, clock.now(), reminderMinutes))
    await unitOfWork.inTransaction((writer) => remind(dependencies, writer, sessionId, reminderMinutes));
}

async function remind(
  { clock, sealer, settings }: ReminderDependencies,
  writer: TransitionWriter,
  sessionId: string,
  minutes: number,
): Promise<void> {
  const { tx, changes } = writer;
  const now = clock.now();
  const session = await lockVisibleSessionById(tx, sessionId, null);
  if (!session || session.erasedAt !== null) return;
  // Looked up again under the lock: another replica may have recorded it, or the meeting was moved or cancelled.
  const [meeting] = await findMeetingsWithoutReminder(tx, sessionId, now, minutes);
  if (!meeting) return;
  const [user] = await findUsersById(tx, [session.userId]);
  invariant(user, 'session has no user');
  const channel = findNotificationChannel(settings, decryptPersonalData(sealer, user).email);
  if (channel === null) return;
  const kind = 'MEETING_REMINDER';
  const locale = findCustomerLocale(session.languages, settings.locale);
  const facts = { subStatus: session.subStatus, circumstance: null, meetingAt: meeting.startsAt };
  const text = formatNotificationText(kind, locale, { ...facts, customerMessage: null }, settings.timeZone);
  const { lastSequence } = await writer.applyOwn(session, session, 'NOTIFIED', {
    source: 'CLOCK',
    actor: null,
  });
  const cause = { sessionId, sequence: lastSequence, kind } as const;
  const notification = createNotification(
    sealer,
    settings,
    { ...cause, channel, locale, text, urgent: false, requestedBy: null },
    now,
  );
  changes.addAnnotation({
    ...{ id: notification.id, sessionId, sequence: lastSequence },
    ...{ kind: 'NOTIFICATION', code: kind, text, author: GATEWAY, recordedAt: now },
  });
  tx.start(insertNotifications([notification]));
}
