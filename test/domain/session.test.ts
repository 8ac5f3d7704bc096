import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ACTION_TRANSITIONS,
  applyTransition,
  type DoubtfulPollAnswer,
  explainUnchangedStatus,
  findAcceptableProviderDecision,
  getProviderStatusPair,
  getReplacementVerdict,
  isEventTimeTooFarAhead,
  isLateVerdict,
  isUnconfirmed,
  evaluateProviderUpdate as judgeAt,
  type ProjectedSessionState,
  type ProviderStatusUpdate,
  providerAgrees,
  type SessionState,
  TRANSITION_RULES,
  VERDICTS,
  type Verdict,
} from '../../src/domain/session.ts';
import {
  ALL_PAIRS,
  getAwaitedParty,
  getStatusInfo,
  KNOWN_PAIRS,
  type KnownSubStatus,
  PROVIDER_PAIRS,
  type StatusPair,
  type SubStatus,
  toStatusPair,
} from '../../src/domain/status.ts';

const at = (second: number): Date => new Date(Date.UTC(2025, 4, 22, 3, 51, second));
const NOW = at(30);
const judge = (session: SessionState | null, update: ProviderStatusUpdate, now = NOW) =>
  judgeAt(session, update, now);
const statusOf = (subStatus: SubStatus) =>
  KNOWN_PAIRS.find((info) => info.subStatus === subStatus)?.status ?? 'UNRECOGNIZED';
const words = (subStatus: SubStatus) => ({ rawStatus: statusOf(subStatus), rawSubStatus: subStatus });

/** Fields of a transition that a mutation of this API made. */
const local = { source: 'MUTATION', rawStatus: null, rawSubStatus: null } as const;

/** Returns a session that two webhooks have reported, the last one with an event time of second 10. */
const sessionAt = (subStatus: SubStatus, changes: Partial<SessionState> = {}): SessionState => ({
  status: statusOf(subStatus),
  subStatus,
  version: 2,
  lastSequence: 2,
  disputed: false,
  escalated: false,
  assigned: false,
  closed: false,
  replaced: false,
  decidedHere: false,
  provider: { ...words(subStatus), eventTime: at(10), polledAt: null, webhooks: 2, doubt: null },
  ...changes,
});

const webhook = (subStatus: SubStatus, second: number, seen: (Date | null)[] = []): ProviderStatusUpdate => ({
  kind: 'WEBHOOK',
  ...words(subStatus),
  eventTime: at(second),
  receivedAt: at(second),
  seen,
});
const answer = (subStatus: SubStatus, webhooksWhenAsked = 2): ProviderStatusUpdate => ({
  kind: 'ANSWER',
  ...words(subStatus),
  webhooksWhenAsked,
  askedAt: NOW,
  newMeetingAt: null,
  seen: [],
});
/** Returns an answer to a poll made at this second: it repeats a status pair that the log has from second 5. */
const repeated = (subStatus: SubStatus, second: number): ProviderStatusUpdate => ({
  kind: 'ANSWER',
  ...words(subStatus),
  webhooksWhenAsked: 2,
  askedAt: at(second),
  newMeetingAt: null,
  seen: [at(5)],
});

describe('webhooks', () => {
  test('webhooks are ordered by event time: a newer webhook changes the status (MOVED), an older webhook only gets the verdict LATE', () => {
    const session = sessionAt('USER_QUEUED');
    expect(judge(session, webhook('AGENT_ASSIGNED_TO_USER', 11))).toMatchObject({
      verdict: 'MOVED',
      orderUncertain: false,
    });
    expect(judge(session, webhook('AADHAAR_VERIFICATION_SUCCESS', 9))).toMatchObject({
      verdict: 'LATE',
      orderUncertain: false,
    });
  });

  test('webhooks with the same second as event time apply in arrival order, and the order is marked as uncertain', () => {
    expect(judge(sessionAt('USER_QUEUED'), webhook('NO_AGENT_FOUND', 10))).toMatchObject({
      verdict: 'MOVED',
      orderUncertain: true,
    });
  });

  test('a webhook that repeats a status pair and event time that was seen before changes nothing', () => {
    expect(judge(sessionAt('USER_QUEUED'), webhook('USER_QUEUED', 10, [at(10)]))).toEqual({
      kind: 'NOTHING',
    });
    expect(judge(sessionAt('NO_AGENT_FOUND'), webhook('USER_QUEUED', 9, [at(9)]))).toEqual({
      kind: 'NOTHING',
    });
  });

  test('a webhook that repeats an earlier status pair with a new event time changes the status, because a customer may queue twice', () => {
    expect(judge(sessionAt('NO_AGENT_FOUND'), webhook('USER_QUEUED', 12, [at(9)]))).toMatchObject({
      verdict: 'MOVED',
    });
  });

  test('a webhook whose status pair a poll has already found adds only its event time; if the session has moved on since, the order is marked as uncertain', () => {
    expect(judge(sessionAt('USER_QUEUED'), webhook('USER_QUEUED', 12, [null]))).toEqual({
      kind: 'CONFIRMS',
      orderUncertain: false,
    });
    expect(judge(sessionAt('NO_AGENT_FOUND'), webhook('USER_QUEUED', 12, [null]))).toEqual({
      kind: 'CONFIRMS',
      orderUncertain: true,
    });
  });

  test("a webhook dated more than five minutes ahead of the gateway's clock applies on arrival, and the order is marked as uncertain", () => {
    const ahead = {
      ...webhook('USER_QUEUED', 0),
      eventTime: new Date('2025-05-25T03:51:00Z'),
    } as ProviderStatusUpdate;
    const justAhead = { ...webhook('USER_QUEUED', 0), eventTime: at(30 + 300) } as ProviderStatusUpdate;

    expect(judge(sessionAt('NO_AGENT_FOUND'), ahead)).toMatchObject({
      verdict: 'MOVED',
      orderUncertain: true,
    });
    expect(judge(null, ahead)).toMatchObject({ verdict: 'MOVED', orderUncertain: true });
    expect(judge(sessionAt('NO_AGENT_FOUND'), { ...ahead, seen: [null] })).toEqual({
      kind: 'CONFIRMS',
      orderUncertain: true,
    });
    expect(
      judge(sessionAt('NO_AGENT_FOUND'), { ...justAhead, receivedAt: at(30) } as ProviderStatusUpdate),
    ).toMatchObject({
      verdict: 'MOVED',
      orderUncertain: false,
    });
  });

  test("a repeated webhook that is dated ahead of the gateway's clock changes nothing", () => {
    const time = new Date('2025-05-25T03:51:00Z');
    const again = { ...webhook('USER_QUEUED', 0, [time]), eventTime: time } as ProviderStatusUpdate;
    expect(judge(sessionAt('NO_AGENT_FOUND'), again)).toEqual({ kind: 'NOTHING' });
  });

  test("while the stored event time of a session is ahead of the gateway's clock, an older webhook still changes the status", () => {
    const session = sessionAt('NO_AGENT_FOUND');
    const eventTime = new Date('2025-05-25T03:51:00Z');
    const held = { ...session, provider: { ...session.provider, eventTime } };
    expect(judge(held, webhook('USER_QUEUED', 20))).toMatchObject({ verdict: 'MOVED', orderUncertain: true });
    // Once the gateway's clock has passed the stored event time, the older webhook is LATE as usual.
    expect(judge(held, webhook('USER_QUEUED', 20), eventTime)).toMatchObject({ verdict: 'LATE' });
  });

  test('a webhook with a PRE_VIDEO_CALL status moves a session back from VIDEO_CALL, because a missed meeting may be rescheduled', () => {
    expect(judge(sessionAt('USER_MISSED_MEETING'), webhook('USER_MEETING_SCHEDULED', 12))).toMatchObject({
      verdict: 'MOVED',
    });
  });
});

describe('answers of the provider to polls', () => {
  test('a poll answer that differs from the last known status pair changes the status; an equal answer changes nothing', () => {
    expect(judge(sessionAt('USER_QUEUED'), answer('AGENT_ASSIGNED_TO_USER'))).toMatchObject({
      verdict: 'MOVED',
    });
    expect(judge(sessionAt('USER_QUEUED'), answer('USER_QUEUED'))).toEqual({ kind: 'NOTHING' });
  });

  test('a poll answer is ignored if a webhook was recorded after the provider was asked; if the answer differs, the order is marked as uncertain', () => {
    expect(judge(sessionAt('USER_QUEUED'), answer('LINK_GENERATED', 1))).toEqual({
      kind: 'OVERTAKEN',
      orderUncertain: true,
    });
    expect(judge(sessionAt('USER_QUEUED'), answer('USER_QUEUED', 1))).toEqual({
      kind: 'OVERTAKEN',
      orderUncertain: false,
    });
  });

  test('a poll answer that repeats an older status pair (the provider may lag) applies only if a poll five seconds later repeats it, too', () => {
    const lagging = judge(sessionAt('USER_QUEUED'), repeated('LINK_GENERATED', 20), at(20));
    expect(lagging).toEqual({
      kind: 'DOUBTED',
      doubt: { ...words('LINK_GENERATED'), since: at(20), webhooks: 2 },
    });
    const { doubt } = lagging as Extract<typeof lagging, { kind: 'DOUBTED' }>;
    const doubted = (changes = {}) => {
      const session = sessionAt('USER_QUEUED');
      return { ...session, provider: { ...session.provider, doubt, ...changes } };
    };

    // The second poll finds the newer status pair: the first answer came from a lagging replica of the provider.
    expect(judge(doubted(), answer('USER_QUEUED'))).toEqual({ kind: 'NOTHING' });
    // The second poll repeats the older pair: the customer really went back.
    expect(judge(doubted(), repeated('LINK_GENERATED', 25), at(25))).toMatchObject({ verdict: 'MOVED' });
    // The second poll comes too soon: the first doubt is kept, so that frequent polls do not postpone the
    // decision.
    expect(judge(doubted(), repeated('LINK_GENERATED', 24), at(24))).toEqual({ kind: 'DOUBTED', doubt });
    // Another older pair begins a new doubt; the same pair does so, too, if a webhook came between the two
    // polls.
    expect(judge(doubted(), repeated('AADHAAR_VERIFICATION_SUCCESS', 25), at(25))).toMatchObject({
      doubt: { ...words('AADHAAR_VERIFICATION_SUCCESS'), since: at(25) },
    });
    const later = { ...repeated('LINK_GENERATED', 25), webhooksWhenAsked: 3 } as ProviderStatusUpdate;
    expect(judge(doubted({ webhooks: 3 }), later, at(25))).toMatchObject({
      doubt: { since: at(25), webhooks: 3 },
    });
  });

  test("a poll answer is compared with the provider's last raw status, not with a decision made in the gateway", () => {
    const session = sessionAt('AGENT_APPROVED', {
      decidedHere: true,
      provider: { ...words('AGENT_ENDED_CALL'), eventTime: at(10), polledAt: null, webhooks: 2, doubt: null },
    });
    expect(judge(session, answer('AGENT_ENDED_CALL'))).toEqual({ kind: 'NOTHING' });
  });
});

describe('decisions', () => {
  test('an update of a session with a terminal status gets the verdict ENDED and does not reopen the session', () => {
    expect(judge(sessionAt('AUDITOR_REJECTED'), webhook('USER_QUEUED', 12))).toMatchObject({
      verdict: 'ENDED',
    });
    expect(judge(sessionAt('VKYC_EXPIRED'), webhook('LINK_GENERATED', 12))).toMatchObject({
      verdict: 'ENDED',
    });
  });

  test('a provider decision that contradicts a final decision made in the gateway gets the verdict DISPUTED', () => {
    const ours = sessionAt('AUDITOR_APPROVED', { decidedHere: true });
    expect(judge(ours, webhook('AUDITOR_REJECTED', 12))).toMatchObject({ verdict: 'DISPUTED' });
    expect(judge(ours, webhook('AGENT_REJECTED', 12))).toMatchObject({ verdict: 'DISPUTED' });
    expect(judge(ours, webhook('AGENT_APPROVED', 12))).toMatchObject({ verdict: 'ENDED' });
    expect(judge(ours, webhook('AUDITOR_APPROVED', 12))).toMatchObject({ verdict: 'ENDED' });
  });

  test('after an agent decision made in the gateway, a different agent decision of the provider is DISPUTED, but an auditor decision applies', () => {
    const ours = sessionAt('AGENT_APPROVED', { decidedHere: true });
    expect(judge(ours, webhook('AGENT_REJECTED', 12))).toMatchObject({ verdict: 'DISPUTED' });
    expect(judge(ours, webhook('AUDITOR_REJECTED', 12))).toMatchObject({ verdict: 'MOVED' });
  });

  test('the provider may change its own agent decision; a change of its final decision is DISPUTED', () => {
    expect(judge(sessionAt('AGENT_APPROVED'), webhook('AGENT_REJECTED', 12))).toMatchObject({
      verdict: 'MOVED',
    });
    expect(judge(sessionAt('AUDITOR_APPROVED'), webhook('AUDITOR_REJECTED', 12))).toMatchObject({
      verdict: 'DISPUTED',
    });
  });

  test('an update about the call does not undo an approval (verdict REVIEWED), but moves a session on from AGENT_UNABLE_TO_VALIDATE', () => {
    expect(judge(sessionAt('AGENT_APPROVED'), webhook('USER_DROPPED_OFF', 12))).toMatchObject({
      verdict: 'REVIEWED',
    });
    expect(judge(sessionAt('AGENT_UNABLE_TO_VALIDATE'), webhook('USER_QUEUED', 12))).toMatchObject({
      verdict: 'MOVED',
    });
  });
});

describe('rules of the state machine', () => {
  test('no rule of TRANSITION_RULES starts from a terminal status, except the resolution of a dispute', () => {
    const leaving = TRANSITION_RULES.filter((rule) => rule.from?.terminal);
    expect([...new Set(leaving.map(({ action }) => action))]).toEqual(['RESOLVE_DISPUTE']);
    for (const { sources } of leaving) expect(sources).toEqual(['MUTATION']);
  });

  test('apart from the resolution of a dispute, only an auditor review of an agent approval leads to AUDITOR_APPROVED', () => {
    const approvals = TRANSITION_RULES.filter(
      ({ to, action }) => to.subStatus === 'AUDITOR_APPROVED' && action && action !== 'RESOLVE_DISPUTE',
    );
    expect(approvals.map((rule) => [rule.from?.subStatus, rule.action])).toEqual([
      ['AGENT_APPROVED', 'RECORD_AUDITOR_REVIEW'],
    ]);
  });

  test('every action leads from at least one sub-status to a sub-status of the status table', () => {
    for (const { from, to } of ACTION_TRANSITIONS) {
      expect(() => getStatusInfo({ status: statusOf(to), subStatus: to })).not.toThrow();
      expect(from.length).toBeGreaterThan(0);
    }
  });
});

/**
 * Judges a late webhook: its event time is second 9, and the newest webhook of the session is from second 10.
 */
const late = (session: SessionState, subStatus: SubStatus) => judge(session, webhook(subStatus, 9));

describe('late webhooks with a decision', () => {
  test.each([
    ['AUDITOR_APPROVED', 'AUDITOR_REJECTED', 'DISPUTED_LATE'],
    ['AUDITOR_REJECTED', 'AUDITOR_APPROVED', 'DISPUTED_LATE'],
    // A repeated decision contradicts nothing.
    ['AUDITOR_APPROVED', 'AUDITOR_APPROVED', 'LATE'],
    ['AUDITOR_REJECTED', 'AUDITOR_REJECTED', 'LATE'],
    // A late webhook opens a dispute only if both decisions are final: an agent decision may be overturned later.
    ['AUDITOR_APPROVED', 'AGENT_REJECTED', 'LATE'],
    ['AUDITOR_APPROVED', 'USER_QUEUED', 'LATE'],
    ['VKYC_EXPIRED', 'AUDITOR_APPROVED', 'LATE'],
    ['AGENT_APPROVED', 'AGENT_REJECTED', 'LATE'],
    ['USER_QUEUED', 'AUDITOR_APPROVED', 'LATE'],
  ] as const)(
    'in a session with %s, a late webhook with %s gets the verdict %s',
    (current, incoming, verdict) => {
      expect(late(sessionAt(current), incoming)).toMatchObject({ verdict, orderUncertain: false });
    },
  );

  test('an agent decision made in the gateway is not disputed by an older decision of the provider', () => {
    expect(late(sessionAt('AGENT_APPROVED', { decidedHere: true }), 'AGENT_REJECTED')).toMatchObject({
      verdict: 'LATE',
    });
  });

  test('isLate returns true for exactly the verdicts LATE and DISPUTED_LATE', () => {
    const verdicts = Object.keys(VERDICTS) as (keyof typeof VERDICTS)[];
    expect(verdicts.filter(isLateVerdict)).toEqual(['LATE', 'DISPUTED_LATE']);
  });
});

/**
 * For each provider decision: the sub-statuses of a session, ended or decided in the gateway, that the
 * decision disputes.
 */
const DISPUTES: Partial<Record<SubStatus, SubStatus[]>> = {
  AGENT_APPROVED: ['AGENT_REJECTED', 'AGENT_UNABLE_TO_VALIDATE'],
  AGENT_REJECTED: ['AGENT_APPROVED', 'AGENT_UNABLE_TO_VALIDATE', 'AUDITOR_APPROVED'],
  AGENT_UNABLE_TO_VALIDATE: ['AGENT_APPROVED', 'AGENT_REJECTED', 'AUDITOR_APPROVED'],
  AUDITOR_APPROVED: [
    'AGENT_REJECTED',
    'AGENT_UNABLE_TO_VALIDATE',
    'AUDITOR_REJECTED',
    'VKYC_EXPIRED',
    'INSUFFICIENT_BALANCE',
    'REJECTED_BY_MERCHANT',
    'FAILED_BY_MERCHANT',
    'REPLACED',
  ],
  AUDITOR_REJECTED: ['AUDITOR_APPROVED'],
};

test.each(PROVIDER_PAIRS.map((info) => info.subStatus))(
  'a webhook with %s disputes exactly the decisions that it contradicts',
  (incoming) => {
    const disputedBy = (decidedHere: boolean) =>
      KNOWN_PAIRS.filter(({ subStatus }) => {
        const evaluation = judge(sessionAt(subStatus, { decidedHere }), webhook(incoming, 12));
        return 'verdict' in evaluation && evaluation.verdict === 'DISPUTED';
      }).map(({ subStatus }) => subStatus);
    const expected = DISPUTES[incoming] ?? [];
    expect(disputedBy(true).toSorted()).toEqual(expected.toSorted());
    // A decision that came from the provider is disputed only once the session has ended.
    expect(disputedBy(false).toSorted()).toEqual(
      expected
        .filter((subStatus) => getStatusInfo(toStatusPair(subStatus as KnownSubStatus)).terminal)
        .toSorted(),
    );
  },
);

test('after an agent approval or rejection, a webhook with a status before the review, or EXPIRED, gets the verdict REVIEWED and changes no status', () => {
  const isReviewed = (from: SubStatus) =>
    PROVIDER_PAIRS.filter(({ subStatus }) => {
      const evaluation = judge(sessionAt(from), webhook(subStatus, 12));
      return 'verdict' in evaluation && evaluation.verdict === 'REVIEWED';
    }).map(({ status }) => status);
  for (const from of ['AGENT_APPROVED', 'AGENT_REJECTED'] as const)
    expect([...new Set(isReviewed(from))]).toEqual(['RECEIVED', 'PRE_VIDEO_CALL', 'VIDEO_CALL', 'EXPIRED']);
  expect(isReviewed('AGENT_UNABLE_TO_VALIDATE')).toEqual([]);
});

describe('order of webhooks and polls', () => {
  const polledAt = (second: number) => {
    const session = sessionAt('USER_QUEUED');
    return { ...session, provider: { ...session.provider, polledAt: at(second) } };
  };

  test('a webhook dated up to five seconds after the last poll changes the status, and the order is marked as uncertain: the poll may be newer', () => {
    for (const [second, orderUncertain] of [
      [20, true],
      [25, true],
      [26, false],
    ] as const)
      expect(judge(polledAt(20), webhook('NO_AGENT_FOUND', second)), String(second)).toMatchObject({
        verdict: 'MOVED',
        orderUncertain,
      });
  });

  test('a provider update counts as known only if both its raw status and its raw sub-status are the last known ones', () => {
    const same = { kind: 'NOTHING' };
    const session = sessionAt('USER_QUEUED');
    const ask = (raw: object) => judge(session, { ...answer('USER_QUEUED'), ...raw } as ProviderStatusUpdate);
    expect(ask({})).toEqual(same);
    expect(ask({ rawStatus: 'VIDEO_CALL' })).toMatchObject({ verdict: 'MOVED', orderUncertain: false });
    expect(ask({ rawSubStatus: 'NO_AGENT_FOUND' })).toMatchObject({
      verdict: 'MOVED',
      orderUncertain: false,
    });
    const confirm = (raw: object) =>
      judge(session, { ...webhook('USER_QUEUED', 12, [null]), ...raw } as ProviderStatusUpdate);
    expect(confirm({ rawStatus: 'VIDEO_CALL' })).toEqual({ kind: 'CONFIRMS', orderUncertain: true });
    expect(confirm({ rawSubStatus: 'x' })).toEqual({ kind: 'CONFIRMS', orderUncertain: true });
  });

  test('a doubted poll answer (it repeats an older status) is confirmed only by an answer with the same raw status and raw sub-status', () => {
    const session = sessionAt('USER_QUEUED');
    const open: DoubtfulPollAnswer = { ...words('LINK_GENERATED'), since: at(5), webhooks: 2 };
    const ask = (doubt: DoubtfulPollAnswer) =>
      judge({ ...session, provider: { ...session.provider, doubt } }, repeated('LINK_GENERATED', 20), at(20));
    expect(ask(open)).toMatchObject({ kind: 'TRANSITION', orderUncertain: false });
    expect(ask({ ...open, rawStatus: 'x' })).toMatchObject({ kind: 'DOUBTED', doubt: { since: at(20) } });
    expect(ask({ ...open, rawSubStatus: 'x' })).toMatchObject({ kind: 'DOUBTED', doubt: { since: at(20) } });
  });

  test('the first update of a session, a poll answer or a webhook, gets the verdict MOVED, and its order is not marked as uncertain', () => {
    expect(judge(null, answer('USER_QUEUED'))).toMatchObject({ verdict: 'MOVED', orderUncertain: false });
    expect(judge(null, webhook('USER_QUEUED', 3))).toMatchObject({ verdict: 'MOVED', orderUncertain: false });
  });

  test('isEventTimeTooFarAhead returns true for an event time more than five minutes ahead of the clock', () => {
    expect(isEventTimeTooFarAhead(at(300), at(0))).toBe(false);
    expect(isEventTimeTooFarAhead(new Date(at(300).getTime() + 1), at(0))).toBe(true);
  });

  test('a webhook with any event time changes the status of a session that only polls have reported so far', () => {
    const session = sessionAt('USER_QUEUED');
    const polled = { ...session, provider: { ...session.provider, eventTime: null } };
    expect(judge(polled, webhook('NO_AGENT_FOUND', 0))).toMatchObject({
      verdict: 'MOVED',
      orderUncertain: false,
    });
  });
});

describe('applyTransition', () => {
  const first = { ...toStatusPair('LINK_GENERATED'), ...words('LINK_GENERATED'), sequence: 1 };
  const moved = (subStatus: KnownSubStatus, sequence: number, changes: object = {}) => ({
    ...{ ...toStatusPair(subStatus), ...words(subStatus), sequence },
    ...({ source: 'WEBHOOK', verdict: 'MOVED' } as const),
    ...changes,
  });
  const start = applyTransition(null, moved('LINK_GENERATED', 1));

  test('applyTransition begins a session with version 1 at the first transition of its log', () => {
    expect(start).toEqual({
      ...toStatusPair('LINK_GENERATED'),
      version: 1,
      lastSequence: 1,
      disputed: false,
      escalated: false,
      assigned: false,
      closed: false,
      replaced: false,
      decidedHere: false,
      provider: words('LINK_GENERATED'),
    });
  });

  test.each([
    ['has another verdict', { verdict: 'LATE' }],
    ['has no raw status', { rawStatus: null }],
    ['has no raw sub-status', { rawSubStatus: null }],
  ])('applyTransition refuses a log whose first transition %s', (_name, changes) => {
    expect(() =>
      applyTransition(null, { ...moved('LINK_GENERATED', 1), ...first, ...changes } as never),
    ).toThrow('invariant violated: log starts with a ');
  });

  test("decidedHere is set by a decision made in the gateway, which keeps the provider's raw status, and is cleared by the next update", () => {
    const decided = applyTransition(start, moved('AGENT_APPROVED', 2, local));
    expect(decided).toMatchObject({ decidedHere: true, provider: words('LINK_GENERATED'), version: 2 });
    // If only the raw status or only the raw sub-status is given, both count as missing.
    for (const half of [{ rawStatus: 'x' }, { rawSubStatus: 'x' }])
      expect(applyTransition(start, moved('AGENT_APPROVED', 2, { ...local, ...half }))).toEqual(decided);
    expect(applyTransition(decided, moved('AUDITOR_APPROVED', 3))).toMatchObject({
      decidedHere: false,
      provider: words('AUDITOR_APPROVED'),
    });
  });

  test.each([
    ['LATE', false, 'LINK_GENERATED'],
    ['DISPUTED_LATE', true, 'LINK_GENERATED'],
    ['DISPUTED', true, 'USER_QUEUED'],
    ['REVIEWED', false, 'USER_QUEUED'],
    ['ENDED', false, 'USER_QUEUED'],
  ] as const)(
    "a transition with the verdict %s keeps the session's status; disputed becomes %s, the provider's raw sub-status %s",
    (verdict, disputed, raw) => {
      const after = applyTransition(start, moved('USER_QUEUED', 2, { verdict }));
      expect(after).toEqual({ ...start, lastSequence: 2, disputed, provider: words(raw) });
      expect(applyTransition(after, moved('NO_AGENT_FOUND', 3)).disputed).toBe(disputed);
    },
  );

  test('a RESOLVED transition gives the session its status pair, raises the version and clears `disputed`', () => {
    const disputed = applyTransition(start, moved('USER_QUEUED', 2, { verdict: 'DISPUTED' }));
    const resolved = moved('AUDITOR_APPROVED', 3, { ...local, verdict: 'RESOLVED' });
    expect(applyTransition(disputed, resolved)).toEqual({
      ...disputed,
      ...{ status: 'AUDITOR_REVIEWED', subStatus: 'AUDITOR_APPROVED' },
      ...{ version: 3, lastSequence: 3, disputed: false, decidedHere: true },
    });
  });

  test('notes and escalations keep status and version, and an escalation lasts until it is resolved', () => {
    const own = (sequence: number, verdict: Verdict) =>
      moved('LINK_GENERATED', sequence, { ...local, verdict });
    const noted = applyTransition(start, own(2, 'NOTED'));
    expect(noted).toEqual({ ...start, lastSequence: 2 });
    const escalated = applyTransition(noted, own(3, 'ESCALATED'));
    expect(escalated).toEqual({ ...start, lastSequence: 3, escalated: true });
    expect(applyTransition(escalated, own(4, 'NOTED')).escalated).toBe(true);
    expect(applyTransition(escalated, own(4, 'ESCALATION_RESOLVED')).escalated).toBe(false);
  });

  test('an assignment lasts until it is ended, or a review or the end of the session is applied', () => {
    const own = (sequence: number, verdict: Verdict) =>
      moved('LINK_GENERATED', sequence, { ...local, verdict });
    const assigned = applyTransition(start, own(2, 'ASSIGNED'));
    expect(assigned).toEqual({ ...start, lastSequence: 2, assigned: true });
    expect(applyTransition(assigned, own(3, 'ASSIGNED')).assigned).toBe(true);
    expect(applyTransition(assigned, own(3, 'UNASSIGNED')).assigned).toBe(false);
    const lasts = (subStatus: KnownSubStatus, verdict: Verdict = 'MOVED') =>
      applyTransition(assigned, moved(subStatus, 3, { verdict })).assigned;
    const ending = KNOWN_PAIRS.map(({ subStatus }) => subStatus as KnownSubStatus).filter(
      (each) => !lasts(each),
    );
    expect(ending).toEqual([
      ...[
        'AGENT_APPROVED',
        'AGENT_REJECTED',
        'AGENT_UNABLE_TO_VALIDATE',
        'AUDITOR_APPROVED',
        'AUDITOR_REJECTED',
      ],
      ...['INSUFFICIENT_BALANCE', 'REJECTED_BY_MERCHANT', 'FAILED_BY_MERCHANT', 'REPLACED', 'VKYC_EXPIRED'],
    ]);
    expect(lasts('AGENT_APPROVED', 'LATE')).toBe(true);
    expect(lasts('AUDITOR_APPROVED', 'RESOLVED')).toBe(false);
  });

  test.each([
    ['REJECTED_BY_MERCHANT', 'closed'],
    ['FAILED_BY_MERCHANT', 'closed'],
    ['REPLACED', 'replaced'],
  ] as const)('after %s a session stays %s, also if it had ended before', (subStatus, flag) => {
    const flags = { closed: false, replaced: false, [flag]: true };
    expect(applyTransition(start, moved(subStatus, 2, local))).toMatchObject({ subStatus, ...flags });
    const ended = applyTransition(start, moved(subStatus, 2, { ...local, verdict: 'ENDED' }));
    expect(ended).toEqual({ ...start, lastSequence: 2, ...flags });
    expect(applyTransition(ended, moved('USER_QUEUED', 3, { verdict: 'ENDED' }))).toMatchObject(flags);
  });
});

describe('a session whose meeting the gateway marked as missed while the provider still reports it as booked', () => {
  /** Returns a session that the gateway moved to `subStatus`, while the provider last reported a booked meeting. */
  const missedHere = (subStatus: SubStatus = 'USER_MISSED_MEETING') =>
    sessionAt(subStatus, {
      decidedHere: true,
      provider: { ...sessionAt('USER_MEETING_SCHEDULED').provider },
    });
  const bookedAnswer = (newMeetingAt: Date | null, asked = at(20)): ProviderStatusUpdate => ({
    ...(answer('USER_MEETING_SCHEDULED') as Extract<ProviderStatusUpdate, { kind: 'ANSWER' }>),
    seen: [at(10)],
    askedAt: asked,
    newMeetingAt,
  });

  test('a session that the gateway marked as missed stays missed if a poll still reports the booked meeting, and no meeting time after the poll', () => {
    expect(judge(missedHere(), bookedAnswer(null))).toEqual({ kind: 'NOTHING' });
    expect(judge(missedHere(), bookedAnswer(at(20)))).toEqual({ kind: 'NOTHING' });
  });

  test('a session that the gateway marked as missed becomes booked again if a poll reports a meeting time after the poll', () => {
    expect(judge(missedHere(), bookedAnswer(at(21)))).toEqual({
      kind: 'TRANSITION',
      pair: { status: 'PRE_VIDEO_CALL', subStatus: 'USER_MEETING_SCHEDULED' },
      verdict: 'MOVED',
      orderUncertain: false,
    });
  });

  test('a new meeting time in a poll answer does not move a session that is booked, reviewed or ended', () => {
    for (const subStatus of ['USER_MEETING_SCHEDULED', 'AGENT_APPROVED', 'REJECTED_BY_MERCHANT'] as const)
      expect(judge(missedHere(subStatus), bookedAnswer(at(21))), subStatus).toEqual({ kind: 'NOTHING' });
  });

  test('if the gateway marked a meeting as missed, a later webhook that the customer has joined moves the session to the call', () => {
    const missed = missedHere();
    const joined = judge(missed, webhook('USER_ACCEPTED_MEETING', 11));
    expect(joined).toMatchObject({ kind: 'TRANSITION', verdict: 'MOVED', orderUncertain: false });
    expect(judge(missed, webhook('USER_ACCEPTED_MEETING', 9))).toMatchObject({ verdict: 'LATE' });
  });
});

test('ACTION_TRANSITIONS lists, for each action, from which sub-statuses the action starts and to which one it leads', () => {
  const open = [...new Set(ALL_PAIRS.filter((info) => !info.terminal).map((info) => info.subStatus))];
  const unique = open.filter(
    (each) => !['USER_ACCEPTED_MEETING', 'AGENT_APPROVED', 'AGENT_REJECTED'].includes(each),
  );
  const ended = ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'];
  const afterBooking = [
    'USER_MEETING_SCHEDULED',
    'USER_MEETING_CANCELLED',
    'USER_REJECTED_MEETING',
    'USER_MISSED_MEETING',
  ];
  expect(ACTION_TRANSITIONS.map(({ action, from, to }) => [action, from, to])).toEqual([
    ['SCHEDULE_MEETING', unique, 'USER_MEETING_SCHEDULED'],
    ['CANCEL_MEETING', unique, 'USER_MEETING_CANCELLED'],
    ['RECORD_AGENT_REVIEW', [...ended, ...afterBooking], 'AGENT_APPROVED'],
    ['RECORD_AGENT_REVIEW', [...ended, ...afterBooking], 'AGENT_REJECTED'],
    ['RECORD_AGENT_REVIEW', [...ended, ...afterBooking], 'AGENT_UNABLE_TO_VALIDATE'],
    ['RECORD_AUDITOR_REVIEW', ['AGENT_APPROVED'], 'AUDITOR_APPROVED'],
    ['RECORD_AUDITOR_REVIEW', ['AGENT_APPROVED'], 'AUDITOR_REJECTED'],
    ['CLOSE', open, 'REJECTED_BY_MERCHANT'],
    ['CLOSE', open, 'FAILED_BY_MERCHANT'],
    ['REPLACE', open, 'REPLACED'],
    ...Object.entries(DISPUTES).map(([decision, from]) => ['RESOLVE_DISPUTE', from, decision]),
  ]);
});

describe('transition rules', () => {
  const find = (from: SubStatus | null, to: SubStatus) =>
    TRANSITION_RULES.filter((rule) => (rule.from?.subStatus ?? null) === from && rule.to.subStatus === to);

  test('the clock alone may move a session only from a booked to a missed meeting', () => {
    const byClock = TRANSITION_RULES.filter((rule) => rule.sources.includes('CLOCK'));
    expect(byClock).toEqual(find('USER_MEETING_SCHEDULED', 'USER_MISSED_MEETING'));
    expect(byClock[0]).toMatchObject({ sources: ['WEBHOOK', 'POLL', 'CLOCK'], action: null });
  });

  test('TRANSITION_RULES lets a session begin with every status pair that the provider reports, by a webhook, a poll or a mutation', () => {
    const begins = TRANSITION_RULES.filter((rule) => rule.from === null);
    expect(begins.map((rule) => rule.to)).toEqual(
      ALL_PAIRS.filter(({ reportedBy }) => reportedBy === 'PROVIDER'),
    );
    for (const rule of begins)
      expect(rule).toMatchObject({ sources: ['WEBHOOK', 'POLL', 'MUTATION'], action: null });
  });

  test.each([
    ['USER_QUEUED', 'AGENT_ASSIGNED_TO_USER', ['WEBHOOK', 'POLL'], null],
    ['USER_QUEUED', 'USER_MEETING_SCHEDULED', ['WEBHOOK', 'POLL', 'MUTATION'], 'SCHEDULE_MEETING'],
    ['AGENT_APPROVED', 'AUDITOR_APPROVED', ['WEBHOOK', 'POLL', 'MUTATION'], 'RECORD_AUDITOR_REVIEW'],
    ['AGENT_APPROVED', 'TECHNICAL_ERROR', ['WEBHOOK', 'POLL'], null],
  ] as const)(
    'the transition rule from %s to %s allows the sources %j and the action %s',
    (from, to, sources, action) => {
      expect(find(from, to)).toMatchObject([{ sources, action }]);
    },
  );

  test('no transition rule leads from AGENT_APPROVED or from a session that staff closed back to the call', () => {
    expect(find('AGENT_APPROVED', 'USER_QUEUED')).toEqual([]);
    expect(find('REJECTED_BY_MERCHANT', 'USER_QUEUED')).toEqual([]);
  });

  test('an auditor approval becomes a rejection only by the resolution of a dispute', () => {
    expect(find('AUDITOR_APPROVED', 'AUDITOR_REJECTED')).toMatchObject([
      { sources: ['MUTATION'], action: 'RESOLVE_DISPUTE' },
    ]);
  });
});

// Invariant 1 of ARCHITECTURE.md
test("for any history of updates, sequences have no gap, terminal states and disputes stay, and the log reduces to the session's state", () => {
  const pair = fc.constantFrom(...ALL_PAIRS.map((info) => [info.status, info.subStatus] as const));
  const news = fc.record({ pair, second: fc.integer({ min: 0, max: 20 }), poll: fc.boolean() });
  fc.assert(
    fc.property(fc.array(news, { minLength: 1, maxLength: 60 }), (history) => {
      let state: ProjectedSessionState | null = null;
      let eventTime: Date | null = null;
      let webhooks = 0;
      for (const {
        pair: [rawStatus, rawSubStatus],
        second,
        poll,
      } of history) {
        const before: ProjectedSessionState | null = state;
        const session = before && {
          ...before,
          provider: { ...before.provider, eventTime, polledAt: null, webhooks, doubt: null },
        };
        const evaluation = poll
          ? judge(session, {
              ...{ kind: 'ANSWER', rawStatus, rawSubStatus, seen: [] },
              ...{ webhooksWhenAsked: webhooks, askedAt: NOW, newMeetingAt: null },
            })
          : judge(session, {
              ...{ kind: 'WEBHOOK', rawStatus, rawSubStatus, seen: [] },
              ...{ eventTime: at(second), receivedAt: NOW },
            });
        if (evaluation.kind !== 'TRANSITION') continue;
        const { pair: to, verdict } = evaluation;
        const sequence = (before?.lastSequence ?? 0) + 1;
        const source = poll ? 'POLL' : 'WEBHOOK';
        const after = applyTransition(before, { ...to, sequence, verdict, source, rawStatus, rawSubStatus });
        if (!poll) {
          webhooks += 1;
          if (!eventTime || at(second) > eventTime) eventTime = at(second);
        }

        expect(after.lastSequence).toBe(sequence);
        if (before && getStatusInfo(before).terminal)
          expect([after.status, after.subStatus]).toEqual([before.status, before.subStatus]);
        if (before?.disputed) expect(after.disputed).toBe(true);
        if (verdict === 'MOVED') expect([after.subStatus, after.version]).toEqual([to.subStatus, sequence]);
        else expect(after.version).toBe(before?.version);
        state = after;
      }
    }),
    { numRuns: 500 },
  );
});

// Invariant 1 of ARCHITECTURE.md
test('for any history with closings, replacements and resolved disputes, only a resolution leaves a terminal state or ends a dispute', () => {
  const pair = fc.constantFrom(...PROVIDER_PAIRS.map((info) => [info.status, info.subStatus] as const));
  const event = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('NEWS' as const), pair }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('CLOSE', 'REPLACE', 'APPROVE', 'KEEP', 'ACCEPT') }),
    },
  );
  fc.assert(
    fc.property(pair, fc.array(event, { maxLength: 40 }), ([rawStatus, rawSubStatus], history) => {
      let state = applyTransition(null, {
        ...{ status: rawStatus, subStatus: rawSubStatus, rawStatus, rawSubStatus },
        ...{ sequence: 1, source: 'WEBHOOK', verdict: 'MOVED' },
      });
      for (const [index, each] of history.entries()) {
        const before: ProjectedSessionState = state;
        const sequence = before.lastSequence + 1;
        const ended = getStatusInfo(before).terminal;
        const own = (to: StatusPair, verdict: Verdict) =>
          applyTransition(before, {
            ...local,
            status: to.status,
            subStatus: to.subStatus,
            sequence,
            verdict,
          });
        if (each.kind === 'NEWS') {
          const [rawStatus, rawSubStatus] = each.pair;
          const provider = {
            ...before.provider,
            eventTime: at(index),
            polledAt: null,
            webhooks: 1,
            doubt: null,
          };
          const times = { eventTime: at(index + 1), receivedAt: at(index + 1) };
          const evaluation = judge(
            { ...before, provider },
            { kind: 'WEBHOOK', rawStatus, rawSubStatus, seen: [], ...times },
            at(index + 1),
          );
          if (evaluation.kind !== 'TRANSITION') throw new Error(`unexpected ${evaluation.kind}`);
          const { pair: to, verdict } = evaluation;
          state = applyTransition(before, {
            ...to,
            rawStatus,
            rawSubStatus,
            sequence,
            verdict,
            source: 'WEBHOOK',
          });
          if (rawSubStatus === 'AUDITOR_APPROVED' && (before.closed || before.replaced) && ended)
            expect(state.disputed || before.subStatus === 'AUDITOR_APPROVED').toBe(true);
        } else if (each.kind === 'CLOSE')
          state = own(toStatusPair('FAILED_BY_MERCHANT'), ended ? 'ENDED' : 'MOVED');
        else if (each.kind === 'REPLACE')
          state = own(toStatusPair('REPLACED'), getReplacementVerdict(before));
        else if (each.kind === 'APPROVE' && before.subStatus === 'AGENT_APPROVED')
          state = own(toStatusPair('AUDITOR_APPROVED'), 'MOVED');
        else if (each.kind === 'KEEP' && before.disputed) state = own(before, 'RESOLVED');
        else if (each.kind === 'ACCEPT' && before.disputed)
          state = own(getProviderStatusPair(before), 'RESOLVED');
        else continue;

        const resolved = before.disputed && !state.disputed;
        expect(resolved).toBe(each.kind === 'KEEP' || each.kind === 'ACCEPT');
        if (ended && !resolved) expect(state.subStatus).toBe(before.subStatus);
        if (each.kind === 'REPLACE' && before.subStatus === 'AUDITOR_APPROVED')
          expect(state.disputed).toBe(true);
        expect(state.closed).toBe(before.closed || each.kind === 'CLOSE');
        expect(state.replaced).toBe(before.replaced || each.kind === 'REPLACE');
        if (state.closed || state.replaced)
          expect(getAwaitedParty(state, state)).toBe(state.disputed ? 'MERCHANT' : 'NOBODY');
        if (each.kind === 'ACCEPT') expect(providerAgrees(state)).toBe(true);
        if (isUnconfirmed(state)) {
          expect(providerAgrees(state)).toBe(false);
          expect([state.disputed, state.replaced, getStatusInfo(state).terminal]).toEqual([
            false,
            false,
            true,
          ]);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

describe('decisions made in the gateway and their confirmation by the provider', () => {
  const ours = (subStatus: SubStatus, theirs: SubStatus, changes: Partial<SessionState> = {}) => {
    const session = sessionAt(subStatus, { decidedHere: true, ...changes });
    return { ...session, provider: { ...session.provider, ...words(theirs) } };
  };

  test('a decision made in the gateway is confirmed once the provider reports the same status pair', () => {
    expect(providerAgrees(ours('AUDITOR_APPROVED', 'AGENT_APPROVED'))).toBe(false);
    expect(providerAgrees(ours('AUDITOR_APPROVED', 'AUDITOR_APPROVED'))).toBe(true);
    expect(providerAgrees(ours('AUDITOR_APPROVED', 'AGENT_APPROVED', { decidedHere: false }))).toBe(true);
    const half = ours('AUDITOR_APPROVED', 'AUDITOR_APPROVED');
    expect(providerAgrees({ ...half, provider: { ...half.provider, rawStatus: 'x' } })).toBe(false);
  });

  test.each([
    [true, 'a final approval', ours('AUDITOR_APPROVED', 'AGENT_ENDED_CALL')],
    [true, 'a closed session', ours('FAILED_BY_MERCHANT', 'AGENT_ENDED_CALL', { closed: true })],
    [false, 'a decision that the provider confirmed', ours('AUDITOR_APPROVED', 'AUDITOR_APPROVED')],
    [false, 'a closed session whose link has expired', ours('FAILED_BY_MERCHANT', 'VKYC_EXPIRED')],
    [false, 'a disputed session', ours('AUDITOR_APPROVED', 'AGENT_REJECTED', { disputed: true })],
    [false, 'a replaced session', ours('REPLACED', 'AGENT_ENDED_CALL', { replaced: true })],
    [false, 'an end that the provider reported', sessionAt('AUDITOR_APPROVED')],
    [false, 'a decision that does not end the session', ours('AGENT_APPROVED', 'AGENT_ENDED_CALL')],
  ] as const)('isUnconfirmed returns %s for %s', (expected, _what, session) => {
    expect(isUnconfirmed(session)).toBe(expected);
  });

  test('a replacement keeps the outcome of an ended session, disputes a final approval, and moves every other session to REPLACED', () => {
    const verdictOf = (subStatus: SubStatus) =>
      getReplacementVerdict({ status: statusOf(subStatus), subStatus });
    expect(verdictOf('AUDITOR_APPROVED')).toBe('DISPUTED');
    expect(verdictOf('VKYC_EXPIRED')).toBe('ENDED');
    expect(verdictOf('AGENT_APPROVED')).toBe('MOVED');
    expect(verdictOf('LINK_GENERATED')).toBe('MOVED');
  });
});

test('a poll answer from a provider replica that lags by up to four seconds never moves a session back behind a webhook', () => {
  const steps = ALL_PAIRS.filter((info) => !info.terminal && info.status !== 'AGENT_REVIEWED').slice(0, 12);
  const event = fc.oneof(
    fc.record({ kind: fc.constant('STEP' as const), afterMs: fc.integer({ min: 1, max: 20_000 }) }),
    fc.record({
      kind: fc.constant('POLL' as const),
      afterMs: fc.integer({ min: 0, max: 10_000 }),
      lagMs: fc.integer({ min: 0, max: 4_000 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      // Times at which the provider reached each step. The webhook of a step arrives at the same time.
      const reached = [0];
      let now = 0;
      let webhooks = 1;
      let doubt: DoubtfulPollAnswer | null = null;
      const wordsAt = (index: number) => words((steps[index] as (typeof steps)[number]).subStatus);
      const observations = new Map<number, Date[]>([[0, [new Date(0)]]]);
      let state: ProjectedSessionState = {
        ...sessionAt((steps[0] as (typeof steps)[number]).subStatus),
        ...{ version: 1, lastSequence: 1 },
      };
      const apply = (index: number, update: ProviderStatusUpdate) => {
        const eventTime = new Date(reached.at(-1) as number);
        const provider = { ...state.provider, eventTime, polledAt: null, webhooks, doubt };
        const evaluation = judge({ ...state, provider }, update, new Date(now));
        doubt = evaluation.kind === 'DOUBTED' ? evaluation.doubt : null;
        if (evaluation.kind !== 'TRANSITION') return;
        const { pair, verdict } = evaluation;
        const source = update.kind === 'ANSWER' ? 'POLL' : 'WEBHOOK';
        const entry = {
          ...pair,
          ...wordsAt(index),
          verdict,
          source,
          sequence: state.lastSequence + 1,
        } as const;
        state = applyTransition(state, entry);
        observations.set(index, [...(observations.get(index) ?? []), eventTime]);
      };

      for (const each of events) {
        now += each.afterMs;
        const current = reached.length - 1;
        if (each.kind === 'POLL') {
          const index = reached.findLastIndex((at) => at <= Math.max(0, now - each.lagMs));
          const seen = observations.get(index) ?? [];
          const askedAt = new Date(now);
          apply(index, {
            kind: 'ANSWER',
            ...wordsAt(index),
            webhooksWhenAsked: webhooks,
            askedAt,
            newMeetingAt: null,
            seen,
          });
        } else if (current + 1 < steps.length) {
          reached.push(now);
          const at = new Date(now);
          apply(current + 1, {
            kind: 'WEBHOOK',
            ...wordsAt(current + 1),
            eventTime: at,
            receivedAt: at,
            seen: [],
          });
          webhooks += 1;
        }
        expect(state.provider).toMatchObject(wordsAt(reached.length - 1));
      }
    }),
    { numRuns: 300 },
  );
});

describe('explainUnchangedStatus', () => {
  test('explainUnchangedStatus tells customers of notes and escalations only that nothing changed which they can see', () => {
    const hidden = 'It changed nothing that you can see.';
    for (const verdict of ['NOTED', 'ESCALATED', 'ESCALATION_RESOLVED'] as const) {
      expect(explainUnchangedStatus(verdict, false)).toBe(hidden);
      expect(explainUnchangedStatus(verdict, true)).not.toBe(hidden);
    }
    for (const verdict of ['MOVED', 'LATE', 'ENDED', 'DISPUTED', 'DETAILS'] as const)
      expect(explainUnchangedStatus(verdict, false)).toBe(explainUnchangedStatus(verdict, true));
    expect(explainUnchangedStatus('MOVED', true)).toBeNull();
  });
});

describe('findAcceptableProviderDecision', () => {
  const decided = (ours: SubStatus, theirs: SubStatus) => {
    const session = sessionAt(ours);
    return { ...session, provider: { ...session.provider, ...words(theirs) } };
  };
  const by = (subStatus: KnownSubStatus, verdict: 'DISPUTED' | 'DISPUTED_LATE' = 'DISPUTED') => ({
    ...toStatusPair(subStatus),
    verdict,
  });

  test("the provider's decision is its newest status if that contradicts the session", () => {
    const found = findAcceptableProviderDecision(
      decided('AUDITOR_REJECTED', 'AUDITOR_APPROVED'),
      by('AUDITOR_APPROVED'),
    );
    expect(found).toMatchObject({ subStatus: 'AUDITOR_APPROVED' });
  });

  test("if the newest status agrees with the session, the provider's decision is the one that a late webhook reported", () => {
    const session = decided('AUDITOR_REJECTED', 'AUDITOR_REJECTED');
    expect(findAcceptableProviderDecision(session, by('AUDITOR_APPROVED', 'DISPUTED_LATE'))).toMatchObject({
      subStatus: 'AUDITOR_APPROVED',
    });
    expect(findAcceptableProviderDecision(session, by('AUDITOR_APPROVED'))).toMatchObject({
      subStatus: 'AUDITOR_REJECTED',
    });
  });

  test('there is no decision to accept if the provider has reported a status since that contradicts nothing', () => {
    const session = decided('AUDITOR_APPROVED', 'USER_QUEUED');
    expect(findAcceptableProviderDecision(session, by('AUDITOR_REJECTED'))).toBeNull();
  });

  test('a session that was replaced while the provider approved it has that approval already', () => {
    const session = decided('AUDITOR_APPROVED', 'USER_QUEUED');
    expect(findAcceptableProviderDecision(session, by('REPLACED'))).toEqual({
      status: 'AUDITOR_REVIEWED',
      subStatus: 'AUDITOR_APPROVED',
    });
  });
});
