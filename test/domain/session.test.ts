import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ACTION_TRANSITIONS,
  applyTransition,
  type Doubt,
  evaluateUpdate as judgeAt,
  type ProjectedState,
  type SessionState,
  type StatusUpdate,
  TRANSITION_RULES,
} from '../../src/domain/session.ts';
import { getStatusInfo, KNOWN_PAIRS, STATUS_CATALOG, type SubStatus } from '../../src/domain/status.ts';

const at = (second: number): Date => new Date(Date.UTC(2025, 4, 22, 3, 51, second));
const NOW = at(30);
const judge = (session: SessionState | null, update: StatusUpdate, now = NOW) =>
  judgeAt(session, update, now);
const statusOf = (subStatus: SubStatus) =>
  KNOWN_PAIRS.find((info) => info.subStatus === subStatus)?.status ?? 'UNRECOGNIZED';
const words = (subStatus: SubStatus) => ({ rawStatus: statusOf(subStatus), rawSubStatus: subStatus });

/** Returns a session with two webhooks, the last one from second 10. */
const sessionAt = (subStatus: SubStatus, changes: Partial<SessionState> = {}): SessionState => ({
  status: statusOf(subStatus),
  subStatus,
  version: 2,
  lastSequence: 2,
  disputed: false,
  decidedHere: false,
  provider: { ...words(subStatus), eventTime: at(10), polledAt: null, webhooks: 2, doubt: null },
  ...changes,
});

const webhook = (subStatus: SubStatus, second: number, seen: (Date | null)[] = []): StatusUpdate => ({
  kind: 'WEBHOOK',
  ...words(subStatus),
  eventTime: at(second),
  receivedAt: at(second),
  seen,
});
const answer = (subStatus: SubStatus, webhooksWhenAsked = 2): StatusUpdate => ({
  kind: 'ANSWER',
  ...words(subStatus),
  webhooksWhenAsked,
  askedAt: NOW,
  seen: [],
});
/** Returns an answer to a poll at a given second that repeats an older pair of the log. */
const repeated = (subStatus: SubStatus, second: number): StatusUpdate => ({
  kind: 'ANSWER',
  ...words(subStatus),
  webhooksWhenAsked: 2,
  askedAt: at(second),
  seen: [at(5)],
});

describe('webhooks', () => {
  test('are ordered by event time: a newer one moves the session, an older one is kept as LATE', () => {
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

  test('of the same second apply in arrival order and leave the session unsettled', () => {
    expect(judge(sessionAt('USER_QUEUED'), webhook('NO_AGENT_FOUND', 10))).toMatchObject({
      verdict: 'MOVED',
      orderUncertain: true,
    });
  });

  test('that repeat a seen pair and event time change nothing', () => {
    expect(judge(sessionAt('USER_QUEUED'), webhook('USER_QUEUED', 10, [at(10)]))).toEqual({
      kind: 'NOTHING',
    });
    expect(judge(sessionAt('NO_AGENT_FOUND'), webhook('USER_QUEUED', 9, [at(9)]))).toEqual({
      kind: 'NOTHING',
    });
  });

  test('of the same step with another event time move the session: a customer may queue twice', () => {
    expect(judge(sessionAt('NO_AGENT_FOUND'), webhook('USER_QUEUED', 12, [at(9)]))).toMatchObject({
      verdict: 'MOVED',
    });
  });

  test('that confirm a poll add only the event time; if polls have moved on, the session is unsettled', () => {
    expect(judge(sessionAt('USER_QUEUED'), webhook('USER_QUEUED', 12, [null]))).toEqual({
      kind: 'CONFIRMS',
      orderUncertain: false,
    });
    expect(judge(sessionAt('NO_AGENT_FOUND'), webhook('USER_QUEUED', 12, [null]))).toEqual({
      kind: 'CONFIRMS',
      orderUncertain: true,
    });
  });

  test('dated more than five minutes ahead of our clock apply in arrival order and leave the session unsettled', () => {
    const ahead = {
      ...webhook('USER_QUEUED', 0),
      eventTime: new Date('2025-05-25T03:51:00Z'),
    } as StatusUpdate;
    const justAhead = { ...webhook('USER_QUEUED', 0), eventTime: at(30 + 300) } as StatusUpdate;

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
      judge(sessionAt('NO_AGENT_FOUND'), { ...justAhead, receivedAt: at(30) } as StatusUpdate),
    ).toMatchObject({
      verdict: 'MOVED',
      orderUncertain: false,
    });
  });

  test('that repeat one dated ahead of our clock change nothing', () => {
    const time = new Date('2025-05-25T03:51:00Z');
    const again = { ...webhook('USER_QUEUED', 0, [time]), eventTime: time } as StatusUpdate;
    expect(judge(sessionAt('NO_AGENT_FOUND'), again)).toEqual({ kind: 'NOTHING' });
  });

  test('are not LATE against a stored event time that is still ahead of our clock', () => {
    const session = sessionAt('NO_AGENT_FOUND');
    const eventTime = new Date('2025-05-25T03:51:00Z');
    const held = { ...session, provider: { ...session.provider, eventTime } };
    expect(judge(held, webhook('USER_QUEUED', 20))).toMatchObject({ verdict: 'MOVED', orderUncertain: true });
    // Once our clock has passed the stored time, it orders webhooks as usual.
    expect(judge(held, webhook('USER_QUEUED', 20), eventTime)).toMatchObject({ verdict: 'LATE' });
  });

  test('of steps before the call move a session back from VIDEO_CALL (missed meeting, scheduled again)', () => {
    expect(judge(sessionAt('USER_MISSED_MEETING'), webhook('USER_MEETING_SCHEDULED', 12))).toMatchObject({
      verdict: 'MOVED',
    });
  });
});

describe('answers', () => {
  test('move the session if they differ from the known pair', () => {
    expect(judge(sessionAt('USER_QUEUED'), answer('AGENT_ASSIGNED_TO_USER'))).toMatchObject({
      verdict: 'MOVED',
    });
    expect(judge(sessionAt('USER_QUEUED'), answer('USER_QUEUED'))).toEqual({ kind: 'NOTHING' });
  });

  test('are ignored if a webhook was recorded since the poll, and leave the session unsettled if they differ', () => {
    expect(judge(sessionAt('USER_QUEUED'), answer('LINK_GENERATED', 1))).toEqual({
      kind: 'OVERTAKEN',
      orderUncertain: true,
    });
    expect(judge(sessionAt('USER_QUEUED'), answer('USER_QUEUED', 1))).toEqual({
      kind: 'OVERTAKEN',
      orderUncertain: false,
    });
  });

  test('that repeat an older pair apply only if a poll five seconds later gives the same pair', () => {
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

    // The provider's replica has caught up.
    expect(judge(doubted(), answer('USER_QUEUED'))).toEqual({ kind: 'NOTHING' });
    // The customer really went back.
    expect(judge(doubted(), repeated('LINK_GENERATED', 25), at(25))).toMatchObject({ verdict: 'MOVED' });
    // Polled too soon: the first doubt is kept, so that frequent polls do not postpone the decision.
    expect(judge(doubted(), repeated('LINK_GENERATED', 24), at(24))).toEqual({ kind: 'DOUBTED', doubt });
    // Another older pair is another doubt, and a webhook makes the doubt void.
    expect(judge(doubted(), repeated('AADHAAR_VERIFICATION_SUCCESS', 25), at(25))).toMatchObject({
      doubt: { ...words('AADHAAR_VERIFICATION_SUCCESS'), since: at(25) },
    });
    const later = { ...repeated('LINK_GENERATED', 25), webhooksWhenAsked: 3 } as StatusUpdate;
    expect(judge(doubted({ webhooks: 3 }), later, at(25))).toMatchObject({
      doubt: { since: at(25), webhooks: 3 },
    });
  });

  test("are compared with the provider's last raw status, not with a local decision", () => {
    const session = sessionAt('AGENT_APPROVED', {
      decidedHere: true,
      provider: { ...words('AGENT_ENDED_CALL'), eventTime: at(10), polledAt: null, webhooks: 2, doubt: null },
    });
    expect(judge(session, answer('AGENT_ENDED_CALL'))).toEqual({ kind: 'NOTHING' });
  });
});

describe('decisions', () => {
  test('that are terminal end a session: later updates are kept as ENDED and do not reopen it', () => {
    expect(judge(sessionAt('AUDITOR_REJECTED'), webhook('USER_QUEUED', 12))).toMatchObject({
      verdict: 'ENDED',
    });
    expect(judge(sessionAt('VKYC_EXPIRED'), webhook('LINK_GENERATED', 12))).toMatchObject({
      verdict: 'ENDED',
    });
  });

  test('of the provider that contradict a local one make the session disputed', () => {
    const ours = sessionAt('AUDITOR_APPROVED', { decidedHere: true });
    expect(judge(ours, webhook('AUDITOR_REJECTED', 12))).toMatchObject({ verdict: 'DISPUTED' });
    expect(judge(ours, webhook('AGENT_REJECTED', 12))).toMatchObject({ verdict: 'DISPUTED' });
    expect(judge(ours, webhook('AGENT_APPROVED', 12))).toMatchObject({ verdict: 'ENDED' });
    expect(judge(ours, webhook('AUDITOR_APPROVED', 12))).toMatchObject({ verdict: 'ENDED' });
  });

  test("of the local agent are not overruled by the provider's agent, but its auditor moves the session on", () => {
    const ours = sessionAt('AGENT_APPROVED', { decidedHere: true });
    expect(judge(ours, webhook('AGENT_REJECTED', 12))).toMatchObject({ verdict: 'DISPUTED' });
    expect(judge(ours, webhook('AUDITOR_REJECTED', 12))).toMatchObject({ verdict: 'MOVED' });
  });

  test('of the provider may be changed by the provider until the session has ended', () => {
    expect(judge(sessionAt('AGENT_APPROVED'), webhook('AGENT_REJECTED', 12))).toMatchObject({
      verdict: 'MOVED',
    });
    expect(judge(sessionAt('AUDITOR_APPROVED'), webhook('AUDITOR_REJECTED', 12))).toMatchObject({
      verdict: 'DISPUTED',
    });
  });

  test('are not undone by a later update about the call, except a review without a result', () => {
    expect(judge(sessionAt('AGENT_APPROVED'), webhook('USER_DROPPED_OFF', 12))).toMatchObject({
      verdict: 'REVIEWED',
    });
    expect(judge(sessionAt('AGENT_UNABLE_TO_VALIDATE'), webhook('USER_QUEUED', 12))).toMatchObject({
      verdict: 'MOVED',
    });
  });
});

describe('the state machine', () => {
  test('has no rule that leaves a terminal state', () => {
    expect(TRANSITION_RULES.filter((rule) => rule.from?.terminal)).toEqual([]);
  });

  test('allows a local final approval only to the auditor, and only after the agent approved', () => {
    const approvals = TRANSITION_RULES.filter(
      (rule) => rule.to.subStatus === 'AUDITOR_APPROVED' && rule.action,
    );
    expect(approvals.map((rule) => [rule.from?.subStatus, rule.action])).toEqual([
      ['AGENT_APPROVED', 'RECORD_AUDITOR_REVIEW'],
    ]);
  });

  test('uses only states of the status table in action moves', () => {
    for (const { from, to } of ACTION_TRANSITIONS) {
      expect(() => getStatusInfo({ status: statusOf(to), subStatus: to })).not.toThrow();
      expect(from.length).toBeGreaterThan(0);
    }
  });
});

// Invariant 1
test('for any history sequences have no gap, terminal states stay, disputes stay, and the log reduces to the state', () => {
  const pair = fc.constantFrom(...STATUS_CATALOG.map((info) => [info.status, info.subStatus] as const));
  const news = fc.record({ pair, second: fc.integer({ min: 0, max: 20 }), poll: fc.boolean() });
  fc.assert(
    fc.property(fc.array(news, { minLength: 1, maxLength: 60 }), (history) => {
      let state: ProjectedState | null = null;
      let eventTime: Date | null = null;
      let webhooks = 0;
      for (const {
        pair: [rawStatus, rawSubStatus],
        second,
        poll,
      } of history) {
        const before: ProjectedState | null = state;
        const session = before && {
          ...before,
          provider: { ...before.provider, eventTime, polledAt: null, webhooks, doubt: null },
        };
        const evaluation = poll
          ? judge(session, {
              ...{ kind: 'ANSWER', rawStatus, rawSubStatus, seen: [] },
              ...{ webhooksWhenAsked: webhooks, askedAt: NOW },
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

test('polls of provider replicas that lag by up to four seconds never move a session back from a webhook', () => {
  const steps = STATUS_CATALOG.filter((info) => !info.terminal && info.status !== 'AGENT_REVIEWED').slice(
    0,
    12,
  );
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
      // The time at which the provider reached each step; its webhook arrives at once.
      const reached = [0];
      let now = 0;
      let webhooks = 1;
      let doubt: Doubt | null = null;
      const wordsAt = (index: number) => words((steps[index] as (typeof steps)[number]).subStatus);
      const observations = new Map<number, Date[]>([[0, [new Date(0)]]]);
      let state: ProjectedState = {
        ...sessionAt((steps[0] as (typeof steps)[number]).subStatus),
        ...{ version: 1, lastSequence: 1 },
      };
      const apply = (index: number, update: StatusUpdate) => {
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
          apply(index, { kind: 'ANSWER', ...wordsAt(index), webhooksWhenAsked: webhooks, askedAt, seen });
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
