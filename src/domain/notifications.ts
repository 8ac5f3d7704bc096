/**
 * Notifications of customers: which transitions cause one by themselves, which may be asked for, their texts, and the
 * quiet hours in which none is sent. The texts hold no link and no personal data.
 */
import type { ActionFacts } from './actions.ts';
import { toCustomerMessage } from './customer-texts.ts';
import { parseStoredLanguageTags, toBaseLanguages } from './languages.ts';
import type { Locale } from './locales.ts';
import { isAppliedVerdict, type Verdict } from './session.ts';
import { type Circumstance, getStatusInfo, type SubStatus } from './status.ts';

/** Kinds of notifications. */
export const NOTIFICATION_KINDS = {
  LINK: 'The link of the session is ready.',
  RETRY: 'The customer has to try a step again; the text is that of the status.',
  MEETING_BOOKED: 'A video call was booked for a time that the text names.',
  MEETING_MOVED: 'The meeting was moved to another time.',
  MEETING_CANCELLED: 'The booked video call does not take place.',
  MEETING_REMINDER: 'The meeting begins soon.',
  DECISION: 'A decision was made, or staff closed the session.',
} as const;
export type NotificationKind = keyof typeof NOTIFICATION_KINDS;

/** Kinds that the gateway can send by itself (setting NOTIFICATIONS). */
export const AUTOMATIC_NOTIFICATION_KINDS = [
  'LINK',
  'MEETING_BOOKED',
  'MEETING_MOVED',
  'MEETING_CANCELLED',
  'DECISION',
] as const satisfies readonly NotificationKind[];
export type AutomaticNotificationKind = (typeof AUTOMATIC_NOTIFICATION_KINDS)[number];

/** States of a notification. */
export const NOTIFICATION_STATES = {
  QUEUED: 'It waits to be sent, or to be accepted by a receiver.',
  SENT: 'The mail server, or an endpoint of merchant webhooks, accepted it.',
  FAILED: 'It was not sent, and will not be: the cause is in `outcome`.',
} as const;
export type NotificationState = keyof typeof NOTIFICATION_STATES;

/** Ways on which notifications leave the gateway. */
export const NOTIFICATION_CHANNELS = {
  EMAIL: 'The gateway sends an e-mail itself.',
  WEBHOOK:
    'The gateway sends the event `customer.notification_requested` to endpoints of merchant webhooks, whose owner notifies the customer.',
} as const;
export type NotificationChannel = keyof typeof NOTIFICATION_CHANNELS;

/** Sub-statuses that decide about the customer for good, or end the session by staff. */
const DECISIONS: readonly SubStatus[] = [
  'AGENT_REJECTED',
  'AUDITOR_APPROVED',
  'AUDITOR_REJECTED',
  'REJECTED_BY_MERCHANT',
  'FAILED_BY_MERCHANT',
];

/** Facts about a transition that decide which automatic notification it causes. */
export interface NotificationCause {
  readonly fromSubStatus: SubStatus | null;
  readonly subStatus: SubStatus;
  readonly verdict: Verdict;
  /** Whether the meeting that the transition booked replaces one that was booked before. */
  readonly movedMeeting: boolean;
  /** Whether an earlier transition booked the same meeting: the provider repeats it. */
  readonly repeatsMeeting: boolean;
}

/** Returns the kind of the notification that a transition causes by itself; null if it causes none. */
export function findAutomaticNotification({
  fromSubStatus,
  subStatus,
  verdict,
  movedMeeting,
  repeatsMeeting,
}: NotificationCause): AutomaticNotificationKind | null {
  if (!isAppliedVerdict(verdict)) return null;
  // A dispute that keeps the decision tells the customer nothing new, and none books a meeting.
  if (verdict === 'RESOLVED')
    return DECISIONS.includes(subStatus) && subStatus !== fromSubStatus ? 'DECISION' : null;
  if (fromSubStatus === null && subStatus === 'LINK_GENERATED') return 'LINK';
  if (subStatus === 'USER_MEETING_SCHEDULED') {
    if (repeatsMeeting) return null;
    return movedMeeting ? 'MEETING_MOVED' : 'MEETING_BOOKED';
  }
  // The provider confirms what was decided or cancelled here.
  if (subStatus === fromSubStatus) return null;
  if (subStatus === 'USER_MEETING_CANCELLED') return 'MEETING_CANCELLED';
  return DECISIONS.includes(subStatus) ? 'DECISION' : null;
}

/** Kinds that tell of a booked meeting, so that they need one. */
const OF_BOOKED_MEETING: readonly NotificationKind[] = [
  'MEETING_BOOKED',
  'MEETING_MOVED',
  'MEETING_REMINDER',
];

/** Whether notifications of this kind tell of a booked meeting. */
export const needsBookedMeeting = (kind: NotificationKind): boolean => OF_BOOKED_MEETING.includes(kind);

/**
 * Returns why a notification of this kind does not fit the session now; null if it does. Asked when staff request a
 * notification, and again before one is sent, because the session may have changed in the quiet hours.
 */
export function findNotificationDenial(
  kind: NotificationKind,
  facts: Pick<ActionFacts, 'status' | 'subStatus' | 'disputed' | 'replaced' | 'linkExpiresAt' | 'meetingAt'>,
  now: Date,
): string | null {
  const { terminal } = getStatusInfo(facts);
  if (needsBookedMeeting(kind)) {
    if (facts.meetingAt === null) return 'No meeting is booked.';
    return facts.meetingAt <= now ? 'The meeting has already begun.' : null;
  }
  if (kind === 'MEETING_CANCELLED')
    return facts.subStatus === 'USER_MEETING_CANCELLED' ? null : 'No meeting was cancelled.';
  if (facts.disputed) return 'The session is disputed: resolve the dispute first.';
  if (kind === 'DECISION')
    return DECISIONS.includes(facts.subStatus)
      ? null
      : 'No decision has been made that the customer may learn.';
  if (terminal) return 'The session is over.';
  return facts.linkExpiresAt !== null && facts.linkExpiresAt <= now
    ? "The customer's link has expired: start a new session."
    : null;
}

/** What the text of a notification depends on. */
export interface NotificationTextFacts {
  readonly subStatus: SubStatus;
  readonly circumstance: Circumstance | null;
  /** Start of the meeting that the notification tells of; null if there is none. */
  readonly meetingAt: Date | null;
  /** Text for the customer in the review that decided; null if there is none. */
  readonly customerMessage: string | null;
}

const MEETING_TEXTS = {
  MEETING_BOOKED: {
    EN: (time: string) => `Your video call is booked for ${time}. Please be ready a few minutes before.`,
    HI: (time: string) => `आपकी वीडियो कॉल ${time} के लिए तय हो गई है। कृपया कुछ मिनट पहले तैयार रहें।`,
  },
  MEETING_MOVED: {
    EN: (time: string) => `Your video call was moved to ${time}. Please be ready a few minutes before.`,
    HI: (time: string) => `आपकी वीडियो कॉल का नया समय ${time} है। कृपया कुछ मिनट पहले तैयार रहें।`,
  },
  MEETING_REMINDER: {
    EN: (time: string) => `Your video call begins soon, on ${time}. Please get ready.`,
    HI: (time: string) => `आपकी वीडियो कॉल ${time} पर शुरू होने वाली है। कृपया तैयार रहें।`,
  },
} as const satisfies Partial<Record<NotificationKind, Record<Locale, (time: string) => string>>>;

const isAboutTime = (kind: NotificationKind): kind is keyof typeof MEETING_TEXTS =>
  Object.hasOwn(MEETING_TEXTS, kind);

/** Returns the text of a notification, with times by the wall clock of `timeZone`. */
export function formatNotificationText(
  kind: NotificationKind,
  locale: Locale,
  { subStatus, circumstance, meetingAt, customerMessage }: NotificationTextFacts,
  timeZone: string,
): string {
  if (isAboutTime(kind) && meetingAt)
    return MEETING_TEXTS[kind][locale](formatMeetingTime(meetingAt, locale, timeZone));
  if (kind === 'LINK') return toCustomerMessage('LINK_GENERATED', locale);
  const text = toCustomerMessage(subStatus, locale, circumstance);
  return kind === 'DECISION' && customerMessage ? `${text}\n\n${customerMessage}` : text;
}

const LANGUAGE_TAGS = { EN: 'en-GB', HI: 'hi-IN' } as const satisfies Record<Locale, string>;

/** Formats a time as `Tuesday 1 December 2026, 15:30`. Built from parts, because their order changes with the ICU release. */
function formatMeetingTime(at: Date, locale: Locale, timeZone: string): string {
  const format = new Intl.DateTimeFormat(LANGUAGE_TAGS[locale], {
    ...{ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
    ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23', numberingSystem: 'latn', timeZone },
  });
  const { weekday, day, month, year, hour, minute } = Object.fromEntries(
    format.formatToParts(at).map(({ type, value }) => [type, value]),
  );
  return `${weekday} ${day} ${month} ${year}, ${hour}:${minute}`;
}

/** Subjects of e-mails. */
export const NOTIFICATION_SUBJECTS: Readonly<Record<NotificationKind, Record<Locale, string>>> = {
  LINK: { EN: 'Your verification link', HI: 'आपका वेरिफ़िकेशन लिंक' },
  RETRY: { EN: 'Your verification: please try again', HI: 'आपका वेरिफ़िकेशन: कृपया दोबारा कोशिश करें' },
  MEETING_BOOKED: { EN: 'Your video call is booked', HI: 'आपकी वीडियो कॉल तय हो गई है' },
  MEETING_MOVED: { EN: 'Your video call was moved', HI: 'आपकी वीडियो कॉल का समय बदल गया है' },
  MEETING_CANCELLED: { EN: 'Your video call was cancelled', HI: 'आपकी वीडियो कॉल रद्द हो गई है' },
  MEETING_REMINDER: { EN: 'Your video call begins soon', HI: 'आपकी वीडियो कॉल जल्द शुरू होगी' },
  DECISION: { EN: 'The result of your verification', HI: 'आपके वेरिफ़िकेशन का परिणाम' },
};

/** Whether an e-mail of this kind has the customer's link below its text. */
export const includesLink = (kind: NotificationKind): boolean => kind === 'LINK' || kind === 'RETRY';

/** Returns the locale of the customer's first language that has texts; `preset` if none has. */
export function findCustomerLocale(languages: string | null, preset: Locale): Locale {
  const spoken = toBaseLanguages(parseStoredLanguageTags(languages));
  const known = spoken.find((language) => language === 'hi' || language === 'en');
  return known ? (known === 'hi' ? 'HI' : 'EN') : preset;
}

const MINUTE_MS = 60_000;
const MINUTES_PER_DAY = 24 * 60;

/** Hours of each day in which customers are not disturbed, in minutes after midnight; they may go past midnight. */
export interface QuietHours {
  readonly from: number;
  readonly to: number;
  /** IANA name, such as Asia/Kolkata. */
  readonly timeZone: string;
}

/** Returns the earliest time from `now` on that is outside the quiet hours. */
export function findNextAllowedTime(now: Date, quiet: QuietHours | null): Date {
  if (!quiet) return now;
  const minute = getMinuteOfDay(now, quiet.timeZone);
  const length = (quiet.to - quiet.from + MINUTES_PER_DAY) % MINUTES_PER_DAY;
  const passed = (minute - quiet.from + MINUTES_PER_DAY) % MINUTES_PER_DAY;
  if (passed >= length) return now;
  const wholeMinute = Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS;
  const end = new Date(wholeMinute + (length - passed) * MINUTE_MS);
  // The clock may be changed in the night (daylight saving time): the wall clock at the end corrects it.
  const wrong = ((getMinuteOfDay(end, quiet.timeZone) - quiet.to + 2_160) % MINUTES_PER_DAY) - 720;
  return new Date(end.getTime() - wrong * MINUTE_MS);
}

function getMinuteOfDay(at: Date, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone },
  });
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  return (parts.hour as number) * 60 + (parts.minute as number);
}
