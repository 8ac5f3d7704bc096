import type { Logger } from 'pino';
import type { Database, Transaction } from '../../db/connection/client.ts';
import {
  type ClaimDecision,
  claimNotifications,
  type DueNotification,
  hasTransitionsWithoutNotifications,
  insertNotificationsForNextTransitions,
  type NotificationCauseRow,
  type NotificationOutcome,
  registerNotificationCursor,
  saveNotificationOutcome,
  settleReleasedNotifications,
} from '../../db/outgoing/notifications.ts';
import { getNotificationSealingContext, type NotificationRow } from '../../db/sessions/notifications.ts';
import { getCustomerMessageSealingContext } from '../../db/sessions/reviews.ts';
import { getLinkSealingContext } from '../../db/sessions/sessions.ts';
import { decryptPersonalData, findUsersById } from '../../db/sessions/users.ts';
import type { MerchantEndpoint } from '../../domain/merchant-events.ts';
import {
  findAutomaticNotification,
  findCustomerLocale,
  findNextAllowedTime,
  findNotificationDenial,
  formatNotificationText,
  includesLink,
  NOTIFICATION_SUBJECTS,
  type NotificationChannel,
  type NotificationKind,
  type NotificationState,
  type QuietHours,
} from '../../domain/notifications.ts';
import type { Clock, Doorbell } from '../../domain/ports.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { withoutTrace } from '../../telemetry/trace.ts';
import type { UnitOfWork } from '../transitions/unit-of-work.ts';
import { createNotification } from './create-notification.ts';
import type { Mailer, MailResult } from './mailer.ts';
import { recordMeetingReminders } from './meeting-reminders.ts';
import { findNotificationChannel, type NotificationSettings } from './notification-settings.ts';
import { GIVE_UP_AFTER_MS, getRetryDelayMs } from './retry-plan.ts';

const LOOK_INTERVAL_MS = 1_000;
/** Delay after a ring of the doorbell. In a burst, one look serves all rings of this time. */
const RING_DELAY_MS = 25;
/** Transitions of the feed for which notifications are created in one transaction. */
const CREATION_BATCH = 500;
/** Notifications that are claimed at once. */
const CLAIM_BATCH = 20;
/** E-mails that a process sends at once. While so many are under way, only other channels are claimed. */
const MAX_IN_FLIGHT = 20;
/**
 * Time for which a replica claims an e-mail, longer than the attempt takes. If the replica is killed, another sends the
 * e-mail after it.
 */
const CLAIM_MS = 3 * 60_000;
/** Time that e-mails under way get to finish at a shutdown. */
const FINISH_MS = 2_000;
/**
 * Age from which on a transition causes no notification any more: the gateway was stopped, or automatic notifications
 * were switched off for so long.
 */
const MAX_CAUSE_AGE_MS = 24 * 3_600_000;
/** Part of the time that may be spent on looking for the outcomes of deliveries. */
const SETTLING_SHARE = 0.02;

interface NotificationWorkerDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly doorbell: Doorbell;
  readonly log: Logger;
  readonly sealer: Sealer;
  readonly settings: NotificationSettings;
  readonly unitOfWork: UnitOfWork;
  /** Endpoints of merchant webhooks that get the event of notifications. */
  readonly endpoints: readonly MerchantEndpoint[];
  /** Null if no mail server is configured. */
  readonly mailer: Mailer | null;
  /** Called for each notification that was sent or failed for good. */
  readonly onOutcome: (
    kind: NotificationKind,
    channel: NotificationChannel,
    state: NotificationState,
  ) => void;
  readonly lookIntervalMs?: number;
}

/**
 * Creates automatic notifications from the feed, and sends all that are due. Each replica has such a worker; the
 * database decides who sends what.
 */
export class NotificationWorker {
  readonly #dependencies: NotificationWorkerDependencies;
  readonly #timer: NodeJS.Timeout;
  readonly #removeListener: () => void;
  readonly #inFlight = new Set<Promise<void>>();
  #wakeTimer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  /** Time of the process at which the outcomes of deliveries are looked for again. */
  #settleAt = 0;

  private constructor(dependencies: NotificationWorkerDependencies) {
    this.#dependencies = dependencies;
    const { doorbell, lookIntervalMs = LOOK_INTERVAL_MS } = dependencies;
    this.#removeListener = doorbell.listen({
      onRing: () => this.#wakeSoon(),
      onGap: () => this.#wakeSoon(),
    });
    this.#timer = setInterval(() => this.#wake(), lookIntervalMs);
    this.#wake();
  }

  /** Stores the cursor of automatic notifications if they are switched on, and starts to send. */
  static async start(dependencies: NotificationWorkerDependencies): Promise<NotificationWorker> {
    if (dependencies.settings.automatic.length > 0) await registerNotificationCursor(dependencies.db);
    return new NotificationWorker(dependencies);
  }

  /** Stops. E-mails under way get a moment to finish; the claims of those that do not end by the clock. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#removeListener();
    clearInterval(this.#timer);
    if (this.#wakeTimer) clearTimeout(this.#wakeTimer);
    await this.#running;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FINISH_MS);
    });
    await Promise.race([Promise.all(this.#inFlight), patience]);
    clearTimeout(timer);
    this.#dependencies.mailer?.stop();
  }

  #wakeSoon(): void {
    this.#wakeTimer ??= setTimeout(() => {
      this.#wakeTimer = null;
      this.#wake();
    }, RING_DELAY_MS);
  }

  #wake(): void {
    this.#again = true;
    if (this.#running || this.#stopped) return;
    this.#running = withoutTrace(() => this.#runRounds()).finally(() => {
      this.#running = null;
      // An e-mail may have ended between the last round and this callback.
      if (this.#again) this.#wake();
    });
  }

  async #runRounds(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#create();
        await recordMeetingReminders(this.#dependencies);
        await this.#send();
        await this.#settle();
      }
    } catch (error) {
      // The next periodic check retries. An immediate retry would be a busy loop while the database cannot be reached.
      this.#again = false;
      this.#dependencies.log.warn({ err: error }, 'could not work on notifications; retrying');
    }
  }

  async #create(): Promise<void> {
    const { db, settings } = this.#dependencies;
    if (settings.automatic.length === 0 || !(await hasTransitionsWithoutNotifications(db))) return;
    const created = await insertNotificationsForNextTransitions(db, CREATION_BATCH, (tx, causes) =>
      this.#plan(tx, causes),
    );
    if (created === CREATION_BATCH) this.#again = true;
  }

  async #plan(tx: Transaction, causes: readonly NotificationCauseRow[]): Promise<NotificationRow[]> {
    const { clock, settings } = this.#dependencies;
    const now = clock.now();
    const wanted = causes.flatMap((cause) => {
      const kind = findAutomaticNotification({
        ...cause,
        movedMeeting: cause.earlierMeeting === 'RESCHEDULED',
      });
      const isRecent = now.getTime() - cause.recordedAt.getTime() < MAX_CAUSE_AGE_MS;
      const isWanted = kind !== null && settings.automatic.includes(kind) && isRecent && !cause.isErased;
      return isWanted ? [{ kind, cause }] : [];
    });
    if (wanted.length === 0) return [];
    const users = await findUsersById(tx, [...new Set(wanted.map(({ cause }) => cause.userId))]);
    const emails = new Map(
      settings.sendsEmail
        ? users.map((user) => [user.id, decryptPersonalData(this.#dependencies.sealer, user).email])
        : [],
    );
    return wanted.map(({ kind, cause }) => this.#toRow(kind, cause, emails.get(cause.userId) ?? null, now));
  }

  #toRow(
    kind: NotificationKind,
    cause: NotificationCauseRow,
    email: string | null,
    now: Date,
  ): NotificationRow {
    const { sealer, settings } = this.#dependencies;
    const locale = findCustomerLocale(cause.languages, settings.locale);
    const facts = {
      subStatus: cause.subStatus,
      circumstance: null,
      meetingAt: cause.meetingAt === null ? null : new Date(cause.meetingAt),
      customerMessage:
        cause.reviewId && cause.customerMessage
          ? sealer
              .open(
                Buffer.from(cause.customerMessage, 'hex'),
                getCustomerMessageSealingContext(cause.reviewId),
              )
              .toString('utf8')
          : null,
    };
    const text = formatNotificationText(kind, locale, facts, settings.timeZone);
    const channel = findNotificationChannel(settings, email);
    const { sessionId, sequence } = cause;
    const row = createNotification(
      sealer,
      settings,
      {
        ...{ sessionId, sequence, kind, locale, text },
        ...{ channel: channel ?? 'EMAIL', urgent: false, requestedBy: null },
      },
      now,
    );
    return channel === null ? { ...row, state: 'FAILED', outcome: 'NO_ADDRESS', settledAt: now } : row;
  }

  async #send(): Promise<void> {
    const { db, clock, log, settings, endpoints, onOutcome } = this.#dependencies;
    const now = clock.now();
    const { send, failed, claimed } = await claimNotifications(
      db,
      {
        ...{ now, until: new Date(now.getTime() + CLAIM_MS), limit: CLAIM_BATCH },
        isQuiet: findNextAllowedTime(now, settings.quietHours) > now,
        withEmails: this.#inFlight.size < MAX_IN_FLIGHT,
      },
      endpoints,
      (notification) => this.#decide(notification, now),
    );
    for (const { kind, channel } of failed) onOutcome(kind, channel, 'FAILED');
    for (const notification of send) {
      const sent = this.#mail(notification)
        .catch((error) => log.warn({ err: error }, 'could not store the outcome of an e-mail; retrying it'))
        .finally(() => {
          this.#inFlight.delete(sent);
          this.#wake();
        });
      this.#inFlight.add(sent);
    }
    if (claimed === CLAIM_BATCH) this.#again = true;
  }

  /** Decides about a due notification by the session as it is now: it may have changed in the quiet hours. */
  #decide(notification: DueNotification, now: Date): ClaimDecision {
    const { kind, channel, requestedBy, version, sequence } = notification;
    if (notification.isErased) return { kind: 'FAIL', outcome: 'ERASED' };
    const facts = {
      ...notification,
      linkExpiresAt: notification.linkExpiresAt === null ? null : new Date(notification.linkExpiresAt),
      meetingAt: notification.meetingAt === null ? null : new Date(notification.meetingAt),
    };
    // An automatic notification tells of its transition, and a later one has a notification of its own.
    const isOvertaken = requestedBy === null && version !== sequence && kind !== 'MEETING_REMINDER';
    if (isOvertaken || findNotificationDenial(kind, facts, now) !== null)
      return { kind: 'FAIL', outcome: 'OUTDATED' };
    if (channel === 'WEBHOOK')
      return this.#dependencies.endpoints.length > 0
        ? { kind: 'RELEASE' }
        : { kind: 'FAIL', outcome: 'NO_ENDPOINT' };
    return this.#dependencies.mailer ? { kind: 'SEND' } : { kind: 'FAIL', outcome: 'NO_MAIL_SERVER' };
  }

  async #mail(notification: DueNotification): Promise<void> {
    const { db, clock, log, settings, onOutcome } = this.#dependencies;
    const result = await this.#attempt(notification);
    const outcome = toOutcome(notification, result, clock.now(), settings.quietHours);
    await saveNotificationOutcome(db, outcome);
    if (outcome.state !== 'QUEUED') onOutcome(notification.kind, notification.channel, outcome.state);
    if (!result.accepted)
      log.warn(
        { notification: notification.id, outcome: result.outcome, state: outcome.state },
        'could not send an e-mail to a customer',
      );
  }

  async #attempt(notification: DueNotification): Promise<MailResult> {
    const { log, mailer, sealer } = this.#dependencies;
    const { id, kind, locale, sessionId, userId } = notification;
    try {
      const user = { id: userId, personal: Buffer.from(notification.personal, 'hex') };
      const { email } = decryptPersonalData(sealer, user);
      if (!mailer || !email || !notification.text)
        return { accepted: false, permanent: true, outcome: 'NO_ADDRESS' };
      const text = sealer.open(notification.text, getNotificationSealingContext(id)).toString('utf8');
      const link =
        includesLink(kind) && notification.link
          ? sealer
              .open(Buffer.from(notification.link, 'hex'), getLinkSealingContext(sessionId))
              .toString('utf8')
          : null;
      return await mailer.send({
        ...{ id, to: email, subject: NOTIFICATION_SUBJECTS[kind][locale] },
        text: link === null ? text : `${text}\n\n${link}`,
        language: locale.toLowerCase(),
      });
    } catch (error) {
      log.error({ err: error, notification: id }, 'could not build an e-mail to a customer; retrying');
      return { accepted: false, permanent: false, outcome: 'INTERNAL_ERROR' };
    }
  }

  async #settle(): Promise<void> {
    const { db, clock, endpoints, onOutcome } = this.#dependencies;
    const began = performance.now();
    if (endpoints.length === 0 || began < this.#settleAt) return;
    for (const settled of await settleReleasedNotifications(db, clock.now())) {
      const [kind, state] = settled.split(' ') as [NotificationKind, NotificationState];
      onOutcome(kind, 'WEBHOOK', state);
    }
    // While endpoints are down, many notifications wait: looking at them must not load the database.
    const ended = performance.now();
    this.#settleAt = ended + (ended - began) / SETTLING_SHARE;
  }
}

/** Decides what becomes of a notification after an attempt to send it by e-mail. */
function toOutcome(
  { id, attempts, queuedAt, urgent }: DueNotification,
  { accepted, permanent, outcome }: MailResult,
  now: Date,
  quietHours: QuietHours | null,
): NotificationOutcome {
  if (accepted) return { id, attempts, outcome, state: 'SENT', dueAt: now, settledAt: now };
  if (permanent || now.getTime() - queuedAt.getTime() >= GIVE_UP_AFTER_MS)
    return { id, attempts, outcome, state: 'FAILED', dueAt: now, settledAt: now };
  const next = new Date(now.getTime() + getRetryDelayMs(attempts));
  const dueAt = urgent ? next : findNextAllowedTime(next, quietHours);
  return { id, attempts, outcome, state: 'QUEUED', dueAt, settledAt: null };
}
