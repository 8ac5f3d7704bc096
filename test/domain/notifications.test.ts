import { describe, expect, test } from 'vitest';
import {
  findAutomaticNotification,
  findCustomerLocale,
  findNextAllowedTime,
  findNotificationDenial,
  formatNotificationText,
  includesLink,
  NOTIFICATION_KINDS,
  NOTIFICATION_SUBJECTS,
  type NotificationCause,
  type NotificationKind,
  needsBookedMeeting,
} from '../../src/domain/notifications.ts';
import { VERDICTS, type Verdict } from '../../src/domain/session.ts';
import { ALL_PAIRS, type SubStatus, toStatusPair } from '../../src/domain/status.ts';

const KINDS = Object.keys(NOTIFICATION_KINDS) as NotificationKind[];
const NOW = new Date('2026-12-01T06:00:00Z');
const ZONE = 'Asia/Kolkata';

const cause = (changes: Partial<NotificationCause>): NotificationCause => ({
  ...{ fromSubStatus: 'LINK_GENERATED', subStatus: 'LINK_GENERATED', verdict: 'MOVED' },
  ...{ movedMeeting: false, repeatsMeeting: false },
  ...changes,
});

describe('findAutomaticNotification', () => {
  test('returns a kind for the first link, for meetings and for decisions, and null for every other sub-status', () => {
    const found = ALL_PAIRS.flatMap(({ subStatus }) => {
      const kind = findAutomaticNotification(cause({ subStatus }));
      return kind ? [[subStatus, kind]] : [];
    });

    expect(Object.fromEntries(found)).toEqual({
      USER_MEETING_SCHEDULED: 'MEETING_BOOKED',
      USER_MEETING_CANCELLED: 'MEETING_CANCELLED',
      AGENT_REJECTED: 'DECISION',
      AUDITOR_APPROVED: 'DECISION',
      AUDITOR_REJECTED: 'DECISION',
      REJECTED_BY_MERCHANT: 'DECISION',
      FAILED_BY_MERCHANT: 'DECISION',
    });
    expect(findAutomaticNotification(cause({ fromSubStatus: null }))).toBe('LINK');
    expect(findAutomaticNotification(cause({ fromSubStatus: null, subStatus: 'USER_QUEUED' }))).toBeNull();
    expect(
      findAutomaticNotification(cause({ subStatus: 'USER_MEETING_SCHEDULED', movedMeeting: true })),
    ).toBe('MEETING_MOVED');
  });

  test('returns null if the provider repeats a meeting, or confirms a cancellation or a decision', () => {
    for (const movedMeeting of [true, false])
      expect(
        findAutomaticNotification(
          cause({ subStatus: 'USER_MEETING_SCHEDULED', movedMeeting, repeatsMeeting: true }),
        ),
      ).toBeNull();
    for (const subStatus of ['USER_MEETING_CANCELLED', 'AGENT_REJECTED'] as const)
      expect(findAutomaticNotification(cause({ fromSubStatus: subStatus, subStatus }))).toBeNull();
    const again = cause({ fromSubStatus: 'USER_MEETING_SCHEDULED', subStatus: 'USER_MEETING_SCHEDULED' });
    expect(findAutomaticNotification({ ...again, movedMeeting: true })).toBe('MEETING_MOVED');
  });

  test('returns null for transitions that were not applied, and for disputes that keep the decision', () => {
    const unapplied = (Object.keys(VERDICTS) as Verdict[]).filter(
      (verdict) => verdict !== 'MOVED' && verdict !== 'RESOLVED',
    );
    for (const verdict of unapplied)
      expect(
        findAutomaticNotification(cause({ subStatus: 'AUDITOR_APPROVED', verdict })),
        verdict,
      ).toBeNull();

    const resolved = (fromSubStatus: SubStatus, subStatus: SubStatus) =>
      findAutomaticNotification(cause({ fromSubStatus, subStatus, verdict: 'RESOLVED' }));
    expect(resolved('AUDITOR_APPROVED', 'AUDITOR_APPROVED')).toBeNull();
    expect(resolved('AUDITOR_APPROVED', 'AUDITOR_REJECTED')).toBe('DECISION');
    expect(resolved('AGENT_REJECTED', 'AGENT_APPROVED')).toBeNull();
  });
});

describe('findNotificationDenial', () => {
  const denial = (kind: NotificationKind, subStatus: SubStatus, changes: object = {}) =>
    findNotificationDenial(
      kind,
      {
        ...toStatusPair(subStatus as never),
        ...{ disputed: false, replaced: false, linkExpiresAt: null, meetingAt: null },
        ...changes,
      },
      NOW,
    );
  const later = new Date(NOW.getTime() + 1);

  test('a notification about a booked meeting needs one that has not begun', () => {
    for (const kind of ['MEETING_BOOKED', 'MEETING_MOVED', 'MEETING_REMINDER'] as const) {
      expect(needsBookedMeeting(kind)).toBe(true);
      expect(denial(kind, 'USER_MEETING_SCHEDULED')).toBe('No meeting is booked.');
      expect(denial(kind, 'USER_MEETING_SCHEDULED', { meetingAt: NOW })).toBe(
        'The meeting has already begun.',
      );
      expect(denial(kind, 'USER_MEETING_SCHEDULED', { meetingAt: later })).toBeNull();
    }
    expect(KINDS.filter(needsBookedMeeting)).toHaveLength(3);
  });

  test('a cancelled meeting and a decision can be told only while they are the status', () => {
    expect(denial('MEETING_CANCELLED', 'USER_MEETING_CANCELLED')).toBeNull();
    expect(denial('MEETING_CANCELLED', 'USER_MEETING_SCHEDULED')).toBe('No meeting was cancelled.');
    expect(denial('DECISION', 'AUDITOR_APPROVED')).toBeNull();
    expect(denial('DECISION', 'AGENT_APPROVED')).toBe(
      'No decision has been made that the customer may learn.',
    );
    expect(denial('DECISION', 'AUDITOR_APPROVED', { disputed: true })).toBe(
      'The session is disputed: resolve the dispute first.',
    );
  });

  test('the link and a retry need a session under way whose link has not expired', () => {
    for (const kind of ['LINK', 'RETRY'] as const) {
      expect(denial(kind, 'USER_PROXY_DETECTED')).toBeNull();
      expect(denial(kind, 'USER_PROXY_DETECTED', { linkExpiresAt: later })).toBeNull();
      expect(denial(kind, 'USER_PROXY_DETECTED', { linkExpiresAt: NOW })).toBe(
        "The customer's link has expired: start a new session.",
      );
      expect(denial(kind, 'AUDITOR_REJECTED')).toBe('The session is over.');
      expect(denial(kind, 'AGENT_APPROVED', { disputed: true })).toMatch(/disputed/);
    }
  });
});

describe('formatNotificationText', () => {
  const text = (kind: NotificationKind, locale: 'EN' | 'HI', changes: object = {}) =>
    formatNotificationText(
      kind,
      locale,
      {
        ...{ subStatus: 'AUDITOR_REJECTED', circumstance: null, customerMessage: null },
        meetingAt: new Date('2026-12-01T19:05:00Z'),
        ...changes,
      },
      ZONE,
    );

  test('times are those of the wall clock of the time zone, in the language of the text', () => {
    expect(text('MEETING_BOOKED', 'EN')).toBe(
      'Your video call is booked for Wednesday 2 December 2026, 00:35. Please be ready a few minutes before.',
    );
    expect(text('MEETING_MOVED', 'EN')).toMatch(
      /^Your video call was moved to Wednesday 2 December 2026, 00:35\./,
    );
    expect(text('MEETING_REMINDER', 'EN')).toMatch(/begins soon, on Wednesday 2 December 2026, 00:35\./);
    expect(text('MEETING_BOOKED', 'HI')).toMatch(/^आपकी वीडियो कॉल बुधवार 2 दिसंबर 2026, 00:35 के लिए तय/);
    expect(text('MEETING_MOVED', 'HI')).toContain('का नया समय बुधवार 2 दिसंबर 2026, 00:35 है।');
    expect(text('MEETING_REMINDER', 'HI')).toContain('00:35 पर शुरू होने वाली है।');
  });

  test('a decision and a retry have the text of the status, and a decision that of the reviewer too', () => {
    const status = 'We could not complete your verification.';
    const decision = text('DECISION', 'EN', { customerMessage: 'Please visit a branch.' });
    expect(decision.split('\n\n')).toEqual([text('DECISION', 'EN'), 'Please visit a branch.']);
    expect(text('RETRY', 'EN', { subStatus: 'USER_PROXY_DETECTED', customerMessage: status })).toBe(
      'It seems that a VPN or a proxy is switched on. Please switch it off and try again.',
    );
    expect(text('RETRY', 'EN', { circumstance: 'LINK_ENDED' })).toBe(
      'Your link has expired. Please ask us for a new link.',
    );
    expect(text('LINK', 'HI')).toBe('आपका वेरिफ़िकेशन लिंक तैयार है। कृपया लिंक खोलें और बताए गए चरण पूरे करें।');
    expect(
      text('MEETING_BOOKED', 'EN', { meetingAt: null, subStatus: 'USER_MEETING_SCHEDULED' }),
    ).not.toMatch(/\d/);
  });

  test('every kind has a subject in English and in Hindi, and only LINK and RETRY add the link', () => {
    for (const kind of KINDS) {
      expect(NOTIFICATION_SUBJECTS[kind].EN).toMatch(/^[A-Z][\w: ]+$/);
      expect(NOTIFICATION_SUBJECTS[kind].HI).toMatch(/^[\u0900-\u097F: ]+$/);
    }
    expect(KINDS.filter(includesLink)).toEqual(['LINK', 'RETRY']);
  });
});

test.each([
  ['hi-IN', 'HI'],
  ['ta hi en', 'HI'],
  ['en-IN hi', 'EN'],
  ['ta', 'EN'],
  [null, 'EN'],
] as const)('a customer who speaks %s gets texts in %s', (languages, locale) => {
  expect(findCustomerLocale(languages, 'EN')).toBe(locale);
});
test('a customer who speaks no language that has texts gets those of the setting', () => {
  expect(findCustomerLocale('ta', 'HI')).toBe('HI');
});

describe('findNextAllowedTime', () => {
  const night = { from: 21 * 60, to: 8 * 60, timeZone: ZONE };
  const next = (time: string, quiet = night) => findNextAllowedTime(new Date(time), quiet).toISOString();

  test('without quiet hours and outside of them, the time is now', () => {
    expect(findNextAllowedTime(NOW, null)).toBe(NOW);
    expect(next('2026-12-01T02:30:00.000Z')).toBe('2026-12-01T02:30:00.000Z');
    expect(next('2026-12-01T15:29:59.999Z')).toBe('2026-12-01T15:29:59.999Z');
  });

  test('within quiet hours that go past midnight, the time is their end', () => {
    expect(next('2026-12-01T15:30:00.000Z')).toBe('2026-12-02T02:30:00.000Z');
    expect(next('2026-12-01T20:00:12.345Z')).toBe('2026-12-02T02:30:00.000Z');
    expect(next('2026-12-02T02:29:59.999Z')).toBe('2026-12-02T02:30:00.000Z');
  });

  test('quiet hours may lie within one day', () => {
    const noon = { from: 12 * 60, to: 14 * 60, timeZone: ZONE };
    expect(next('2026-12-01T07:00:00.000Z', noon)).toBe('2026-12-01T08:30:00.000Z');
    expect(next('2026-12-01T08:30:00.000Z', noon)).toBe('2026-12-01T08:30:00.000Z');
    expect(next('2026-12-01T06:29:00.000Z', noon)).toBe('2026-12-01T06:29:00.000Z');
  });

  test('they end by the wall clock in a night in which clocks change', () => {
    const berlin = { from: 21 * 60, to: 8 * 60, timeZone: 'Europe/Berlin' };
    expect(next('2026-03-28T22:00:00.000Z', berlin)).toBe('2026-03-29T06:00:00.000Z');
    expect(next('2026-10-24T22:00:00.000Z', berlin)).toBe('2026-10-25T07:00:00.000Z');
  });
});
