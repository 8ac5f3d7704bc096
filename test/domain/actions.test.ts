import { describe, expect, test } from 'vitest';
import { ACTION_ROLES, type Role, type Viewer } from '../../src/domain/access.ts';
import {
  type ActionFacts,
  ALL_SESSION_ACTIONS,
  awaitsAgentReview,
  findAssigneeDenial,
  findClaimDenial,
  findReviewDecisionDenial,
  findSessionActionDenial,
  MEETING_OUTCOME_BY_SUB_STATUS,
  mightHaveUnflaggedReplacement,
  mightHaveUnreportedCall,
  mightHaveUnreviewedCall,
  needsReplacerName,
  REVIEW_BY_SUB_STATUS,
  type RelatedRows,
  type ReviewDecision,
  type ReviewStage,
  toActionFacts,
  toReviewSubStatus,
} from '../../src/domain/actions.ts';
import type { SessionAction, TransitionSource } from '../../src/domain/session.ts';
import {
  ALL_PAIRS,
  KNOWN_PAIRS,
  type KnownSubStatus,
  type SubStatus,
  toStatusPair,
} from '../../src/domain/status.ts';

const NOW = new Date('2026-01-05T10:00:00Z');
const msFromNow = (ms: number) => new Date(NOW.getTime() + ms);
const viewer = (changes: Partial<Viewer> = {}): Viewer => ({
  id: 'asha',
  roles: ['ADMIN'],
  verificationIds: [],
  expiresAt: null,
  ...changes,
});
const KNOWN_SUB_STATUSES = KNOWN_PAIRS.map((info) => info.subStatus);
const pairOf = (subStatus: SubStatus) =>
  subStatus === 'UNRECOGNIZED' ? { status: 'VIDEO_CALL' as const, subStatus } : toStatusPair(subStatus);
/** Returns facts of a session with a booked meeting, a valid link, and an agent review by another user. */
const facts = (subStatus: SubStatus, changes: Partial<ActionFacts> = {}): ActionFacts => ({
  ...pairOf(subStatus),
  verificationId: 'loan-1',
  referenceId: '1358',
  linkExpiresAt: msFromNow(1),
  erasedAt: null,
  disputed: false,
  escalated: false,
  closed: false,
  replaced: false,
  polled: false,
  meetingAt: msFromNow(1),
  meetingBookedHere: true,
  unreviewedCall: null,
  hadCall: false,
  hasReplacement: false,
  agents: ['ravi'],
  agentUnknown: false,
  approvalAcceptedBy: null,
  deciders: ['ravi'],
  assignedAgent: null,
  assignedUntil: null,
  unableAgent: null,
  ...changes,
});
const denial = (
  action: SessionAction,
  subStatus: SubStatus,
  changes: Partial<ActionFacts> = {},
  {
    as = viewer(),
    auditUnknownAgents = false,
    notifies = true,
  }: { as?: Viewer; auditUnknownAgents?: boolean; notifies?: boolean } = {},
) => findSessionActionDenial(action, facts(subStatus, changes), as, NOW, { auditUnknownAgents, notifies });

const BOOKED = [
  'USER_MEETING_SCHEDULED',
  'USER_MEETING_CANCELLED',
  'USER_REJECTED_MEETING',
  'USER_MISSED_MEETING',
] as const;
const OVER = 'The session is over.';
const EXPIRED = "The customer's link has expired: start a new session.";
const TERMINAL = [
  'AUDITOR_APPROVED',
  'AUDITOR_REJECTED',
  'INSUFFICIENT_BALANCE',
  'REJECTED_BY_MERCHANT',
  'FAILED_BY_MERCHANT',
  'REPLACED',
  'VKYC_EXPIRED',
] as const;
const sayFor = (subStatuses: readonly SubStatus[], reason: string) =>
  Object.fromEntries(subStatuses.map((subStatus) => [subStatus, reason]));
const over = sayFor(TERMINAL, OVER);
const noMeeting = {
  ...over,
  USER_ACCEPTED_MEETING: 'The video call is in progress.',
  ...sayFor(['AGENT_APPROVED', 'AGENT_REJECTED'], 'The agent has already decided.'),
};
/** Returns `reason` for every sub-status that is not in `allowed`; the reasons of `rest` take precedence. */
const allBut = (allowed: readonly SubStatus[], reason: string, rest: object = over) => ({
  ...sayFor(
    [...KNOWN_SUB_STATUSES, 'UNRECOGNIZED' as const].filter((each) => !allowed.includes(each)),
    reason,
  ),
  ...rest,
});

/** Sub-statuses in which each action is refused, with the reason. In all others the action is allowed. */
const REFUSED_IN: Record<SessionAction, Record<string, string>> = {
  SCHEDULE_MEETING: noMeeting,
  CANCEL_MEETING: noMeeting,
  RECORD_AGENT_REVIEW: allBut(
    ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'],
    'An agent review is possible only after a call has ended.',
    {
      ...over,
      AGENT_UNABLE_TO_VALIDATE: 'Another call must take place first.',
      AGENT_APPROVED: 'The agent has already decided.',
      AGENT_REJECTED: 'The agent has already decided.',
    },
  ),
  RECORD_AUDITOR_REVIEW: allBut(
    ['AGENT_APPROVED'],
    'An auditor review is possible only after an agent has approved.',
  ),
  REFRESH: over,
  REQUEST_RECORDING: allBut(
    [
      'USER_ENDED_CALL',
      'AGENT_ENDED_CALL',
      'AGENT_APPROVED',
      'AGENT_REJECTED',
      'AGENT_UNABLE_TO_VALIDATE',
      'AUDITOR_APPROVED',
      'AUDITOR_REJECTED',
    ],
    'The recording exists only after a call has ended.',
    {},
  ),
  CREATE_SDK_TOKEN: over,
  CLOSE: sayFor(
    ['AUDITOR_APPROVED', 'AUDITOR_REJECTED', 'REJECTED_BY_MERCHANT', 'FAILED_BY_MERCHANT', 'REPLACED'],
    OVER,
  ),
  REPLACE: sayFor(
    ['AGENT_APPROVED', 'AUDITOR_APPROVED'],
    'The customer was approved: an approved session cannot be replaced.',
  ),
  RESOLVE_DISPUTE: allBut([], 'The session is not disputed.', {}),
  ADD_NOTE: {},
  LABEL: {},
  NOTIFY: {},
  ESCALATE: {},
  RESOLVE_ESCALATION: allBut([], 'The session is not escalated.', {}),
  ASSIGN: over,
  UNASSIGN: allBut([], 'The session is not assigned.'),
};

describe('findSessionActionDenial', () => {
  test.each(ALL_SESSION_ACTIONS)(
    'findSessionActionDenial returns null for %s in exactly the sub-statuses that allow this action, and the reason in all others',
    (action) => {
      const reasons = Object.fromEntries(
        [...KNOWN_SUB_STATUSES, 'UNRECOGNIZED' as const].map((subStatus) => [
          subStatus,
          denial(action, subStatus),
        ]),
      );
      const allowed = Object.fromEntries(Object.keys(reasons).map((subStatus) => [subStatus, null]));
      expect(reasons).toEqual({ ...allowed, ...REFUSED_IN[action] });
    },
  );

  test.each(ALL_SESSION_ACTIONS)(
    'findSessionActionDenial allows %s only to the roles that ACTION_ROLES lists for this action, and the denial names those roles',
    (action) => {
      const state = {
        RECORD_AGENT_REVIEW: 'AGENT_ENDED_CALL',
        RECORD_AUDITOR_REVIEW: 'AGENT_APPROVED',
      } as const;
      const subStatus =
        action in state
          ? state[action as keyof typeof state]
          : action === 'REQUEST_RECORDING'
            ? 'AGENT_ENDED_CALL'
            : 'USER_QUEUED';
      const roles: readonly Role[] = ACTION_ROLES[action];
      const needed = {
        disputed: action === 'RESOLVE_DISPUTE',
        escalated: action === 'RESOLVE_ESCALATION',
        assignedAgent: action === 'UNASSIGN' ? 'asha' : null,
      };
      for (const role of ['CUSTOMER', 'VIEWER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'] as const) {
        const as = viewer({ roles: [role], verificationIds: ['loan-1'] });
        expect(denial(action, subStatus, needed, { as }), role).toBe(
          roles.includes(role)
            ? null
            : `Your token lacks a role for this action: one of ${roles.join(', ')} is needed.`,
        );
      }
    },
  );

  test('a customer may not book a meeting in a session whose verification id their token does not name', () => {
    const as = viewer({ roles: ['CUSTOMER'], verificationIds: ['loan-2'] });
    expect(denial('SCHEDULE_MEETING', 'USER_QUEUED', {}, { as })).toMatch(/^Your token lacks a role/);
  });

  test("once the customer's link has expired, findSessionActionDenial denies booking a meeting and creating an SDK token, but not a refresh", () => {
    for (const action of ['SCHEDULE_MEETING', 'CREATE_SDK_TOKEN'] as const) {
      expect(denial(action, 'USER_QUEUED', { linkExpiresAt: NOW })).toBe(EXPIRED);
      expect(denial(action, 'USER_QUEUED', { linkExpiresAt: msFromNow(-1) })).toBe(EXPIRED);
      expect(denial(action, 'USER_QUEUED', { linkExpiresAt: null })).toBeNull();
    }
    expect(denial('REFRESH', 'USER_QUEUED', { linkExpiresAt: NOW })).toBeNull();
  });

  test('findSessionActionDenial allows cancelling a meeting only if a meeting is booked and has not begun', () => {
    const cancel = (meetingAt: Date | null) => denial('CANCEL_MEETING', 'USER_QUEUED', { meetingAt });
    expect(cancel(null)).toBe('No meeting is booked.');
    expect(cancel(msFromNow(-1))).toBe('The meeting has already begun.');
    expect(cancel(NOW)).toBe('The meeting has already begun.');
    expect(cancel(msFromNow(1))).toBeNull();
  });

  test('a meeting that the customer booked at the provider can be neither moved nor cancelled in the gateway', () => {
    const theirs = { meetingBookedHere: false };
    expect(denial('SCHEDULE_MEETING', 'USER_MEETING_SCHEDULED', theirs)).toBe(
      'The customer booked the meeting at the provider, whose API cannot move it: the customer must move it there.',
    );
    expect(denial('CANCEL_MEETING', 'USER_MEETING_SCHEDULED', theirs)).toBe(
      'The customer booked the meeting at the provider, whose API cannot cancel it: ask the customer to cancel it there.',
    );
  });

  test('a meeting at the provider that has begun or passed does not block the booking of another meeting in the gateway', () => {
    for (const meetingAt of [NOW, msFromNow(-1)]) {
      const passed = { meetingBookedHere: false, meetingAt };
      expect(denial('SCHEDULE_MEETING', 'USER_MEETING_SCHEDULED', passed)).toBeNull();
      expect(denial('CANCEL_MEETING', 'USER_MEETING_SCHEDULED', passed)).toBe(
        'The meeting has already begun.',
      );
    }
  });

  test('only staff may book a meeting while an ended call waits for its review', () => {
    const book = (subStatus: SubStatus, roles: Role[]) =>
      denial('SCHEDULE_MEETING', subStatus, {}, { as: viewer({ roles, verificationIds: ['loan-1'] }) });
    const reason = 'The call has ended and waits for its review: only staff may book another meeting now.';
    for (const subStatus of ['AGENT_ENDED_CALL', 'USER_ENDED_CALL'] as const) {
      expect(book(subStatus, ['CUSTOMER'])).toBe(reason);
      expect(book(subStatus, ['CUSTOMER', 'VIEWER'])).toBe(reason);
      expect(book(subStatus, ['CUSTOMER', 'OPERATOR'])).toBeNull();
      expect(book(subStatus, ['AGENT'])).toBeNull();
    }
    expect(book('USER_MISSED_MEETING', ['CUSTOMER'])).toBeNull();
  });

  test('if a meeting is booked while a call waits for its review, the call can still be reviewed, and its recording requested', () => {
    for (const subStatus of BOOKED) {
      const waiting = { unreviewedCall: 'USER_ENDED_CALL' } as const;
      expect(denial('RECORD_AGENT_REVIEW', subStatus, waiting), subStatus).toBeNull();
      expect(denial('REQUEST_RECORDING', subStatus, waiting), subStatus).toBeNull();
      expect(denial('RECORD_AGENT_REVIEW', subStatus), subStatus).toBe(
        'An agent review is possible only after a call has ended.',
      );
    }
  });

  test('the recording of a customer whose data was erased cannot be requested', () => {
    expect(denial('REQUEST_RECORDING', 'AUDITOR_REJECTED', { erasedAt: NOW })).toBe(
      "The customer's personal data was erased: the recording is not shown.",
    );
  });

  test('an SDK token can be created only once the provider has assigned a reference id', () => {
    expect(denial('CREATE_SDK_TOKEN', 'USER_QUEUED', { referenceId: null })).toBe(
      'The provider has not assigned a reference id yet: refresh the session.',
    );
  });

  test('findSessionActionDenial denies viewers the audit of their own agent review (four-eyes rule), even if their name was stored with extra spaces or invisible characters', () => {
    const own =
      'You recorded an agent review of this session: another person must audit it (four-eyes rule).';
    const audit = (agents: string[]) => denial('RECORD_AUDITOR_REVIEW', 'AGENT_APPROVED', { agents });
    expect(audit(['asha'])).toBe(own);
    expect(audit(['ravi', ' asha\u200b'])).toBe(own);
    expect(audit(['ravi', 'Asha'])).toBeNull();
    expect(audit([])).toBeNull();
  });

  test('an approval whose agent the gateway does not know may be audited only if auditUnknownAgents is set', () => {
    const audit = (agentUnknown: boolean, auditUnknownAgents: boolean) =>
      denial('RECORD_AUDITOR_REVIEW', 'AGENT_APPROVED', { agentUnknown }, { auditUnknownAgents });
    expect(audit(true, false)).toMatch(/unknown to the gateway/);
    expect(audit(true, true)).toBeNull();
    expect(audit(false, false)).toBeNull();
    // The four-eyes rule applies to auditor reviews only.
    expect(denial('REFRESH', 'AGENT_APPROVED', { agents: ['asha'], agentUnknown: true })).toBeNull();
  });
});

describe('findReviewDecisionDenial', () => {
  const IMPOSSIBLE = 'This decision is not possible in the current status.';
  const UNSTATED =
    'The customer ended the call: it can be approved only with your statement that it was complete (`callComplete: true`).';
  const STATE_IT = 'The customer ended the call: state whether it was complete (`callComplete`).';
  const INCOMPLETE = 'You stated that the call was not complete, so it cannot be approved.';
  const decide = (
    action: SessionAction,
    to: KnownSubStatus,
    from: SubStatus,
    callComplete: boolean | null,
    mayState = true,
  ) =>
    findReviewDecisionDenial(
      action,
      to,
      { ...pairOf(from), unreviewedCall: null },
      { callComplete, mayState },
    );

  test.each([
    ['RECORD_AGENT_REVIEW', 'AGENT_APPROVED', 'AGENT_ENDED_CALL', null],
    ['RECORD_AGENT_REVIEW', 'AGENT_REJECTED', 'AGENT_ENDED_CALL', null],
    ['RECORD_AGENT_REVIEW', 'AGENT_UNABLE_TO_VALIDATE', 'AGENT_ENDED_CALL', null],
    ['RECORD_AGENT_REVIEW', 'AGENT_APPROVED', 'USER_ENDED_CALL', UNSTATED],
    ['RECORD_AGENT_REVIEW', 'AGENT_REJECTED', 'USER_ENDED_CALL', STATE_IT],
    ['RECORD_AGENT_REVIEW', 'AGENT_UNABLE_TO_VALIDATE', 'USER_ENDED_CALL', STATE_IT],
    ['RECORD_AUDITOR_REVIEW', 'AUDITOR_APPROVED', 'AGENT_APPROVED', null],
    ['RECORD_AUDITOR_REVIEW', 'AUDITOR_REJECTED', 'AGENT_APPROVED', null],
    ['RECORD_AGENT_REVIEW', 'AUDITOR_APPROVED', 'AGENT_APPROVED', IMPOSSIBLE],
  ] as const)(
    'without callComplete, findReviewDecisionDenial for %s to %s after %s returns %s',
    (action, to, from, reason) => {
      expect(decide(action, to, from, null)).toBe(reason);
    },
  );

  test('after a call that the customer ended, an approval needs callComplete true (the statement that the call was complete)', () => {
    const approve = (callComplete: boolean | null) =>
      decide('RECORD_AGENT_REVIEW', 'AGENT_APPROVED', 'USER_ENDED_CALL', callComplete);
    expect(approve(true)).toBeNull();
    expect(approve(false)).toBe(INCOMPLETE);
    expect(approve(null)).toBe(UNSTATED);
  });

  test('after a call that the customer ended, decisions other than an approval are possible with callComplete true or false', () => {
    for (const to of ['AGENT_REJECTED', 'AGENT_UNABLE_TO_VALIDATE'] as const)
      for (const callComplete of [true, false])
        expect(decide('RECORD_AGENT_REVIEW', to, 'USER_ENDED_CALL', callComplete)).toBeNull();
  });

  test('after a call that the customer ended, clients of the last release, which do not know callComplete, may reject but not approve', () => {
    const without = (to: KnownSubStatus) => decide('RECORD_AGENT_REVIEW', to, 'USER_ENDED_CALL', null, false);
    expect(without('AGENT_REJECTED')).toBeNull();
    expect(without('AGENT_UNABLE_TO_VALIDATE')).toBeNull();
    expect(without('AGENT_APPROVED')).toBe(UNSTATED);
  });

  test('after a call that the agent ended, an approval with callComplete false is refused; an approval with true and a rejection with false are allowed', () => {
    const approve = (callComplete: boolean) =>
      decide('RECORD_AGENT_REVIEW', 'AGENT_APPROVED', 'AGENT_ENDED_CALL', callComplete);
    expect(approve(true)).toBeNull();
    expect(approve(false)).toBe(INCOMPLETE);
    expect(decide('RECORD_AGENT_REVIEW', 'AGENT_REJECTED', 'AGENT_ENDED_CALL', false)).toBeNull();
  });

  test('after a booking, an unreviewed call can be approved without callComplete if the agent ended the call, not if the customer did', () => {
    for (const subStatus of BOOKED) {
      const decide = (
        unreviewedCall: ActionFacts['unreviewedCall'],
        to: 'AGENT_APPROVED' | 'AGENT_REJECTED',
      ) =>
        findReviewDecisionDenial(
          'RECORD_AGENT_REVIEW',
          to,
          { ...pairOf(subStatus), unreviewedCall },
          { callComplete: null, mayState: false },
        );
      expect(decide('AGENT_ENDED_CALL', 'AGENT_APPROVED')).toBeNull();
      expect(decide('USER_ENDED_CALL', 'AGENT_APPROVED')).toBe(UNSTATED);
      expect(decide('USER_ENDED_CALL', 'AGENT_REJECTED')).toBeNull();
      expect(decide(null, 'AGENT_APPROVED')).not.toBeNull();
    }
  });

  test('mayFollowReview is true only for the sub-statuses of a booked, cancelled, declined or missed meeting; awaitsAgentReview only for those of an ended call', () => {
    const following = ALL_PAIRS.filter(mightHaveUnreviewedCall).map(({ subStatus }) => subStatus);
    expect(following.sort()).toEqual([...BOOKED].sort());
    const waiting = ALL_PAIRS.filter(awaitsAgentReview).map(({ subStatus }) => subStatus);
    expect(waiting).toEqual(['USER_ENDED_CALL', 'AGENT_ENDED_CALL']);
  });
});

describe('toActionFacts', () => {
  const review = (
    sequence: number,
    reviewer: string | null,
    decision: ReviewDecision = 'APPROVED',
    stage: ReviewStage = 'AGENT',
  ) => ({ sequence, reviewer, decision, stage });
  const related = (changes: Partial<RelatedRows>, version = 7, subStatus: SubStatus = 'AGENT_APPROVED') =>
    toActionFacts(
      { ...facts(subStatus), version, nextPollAt: null },
      {
        meeting: null,
        reviews: [],
        annotations: [],
        unreviewedCall: null,
        hadCall: false,
        hasReplacement: false,
        replacer: null,
        ...changes,
      },
    );

  test('toActionFacts lists the reviewers of all agent reviews, and no auditor', () => {
    const reviews = [
      review(3, 'ravi'),
      review(5, null),
      review(7, 'asha'),
      review(8, 'uma', 'APPROVED', 'AUDITOR'),
    ];
    expect(related({ reviews })).toMatchObject({ agents: ['ravi', 'asha'], agentUnknown: false });
  });

  test('toActionFacts reports the agent as unknown if no agent review set the current status, or if that review has no reviewer', () => {
    const unknown = (reviews: RelatedRows['reviews']) => related({ reviews }, 5).agentUnknown;
    expect(unknown([review(3, 'ravi'), review(5, null)])).toBe(true);
    expect(unknown([review(3, 'ravi')])).toBe(true);
    expect(unknown([review(5, 'uma', 'APPROVED', 'AUDITOR')])).toBe(true);
    expect(related({}, 1)).toMatchObject({ agents: [], agentUnknown: true });
  });

  test('after a dispute was resolved, toActionFacts takes the reviewer of the decision that stands as the agent', () => {
    const reviews = [review(3, 'ravi'), review(5, null, 'REJECTED')];
    const annotations = [
      { kind: 'DISPUTE_RESOLUTION' as const, code: 'KEEP_OURS', author: 'uma', sequence: 6 },
    ];
    expect(related({ reviews, annotations }, 6).agentUnknown).toBe(false);
    expect(related({ reviews, annotations }, 6, 'AGENT_REJECTED').agentUnknown).toBe(true);
    expect(related({ reviews }, 6).agentUnknown).toBe(true);
  });

  test("toActionFacts names the person who accepted the provider's approval in a dispute until an agent reviews the session again, although the provider repeats the approval, or another person keeps it in the next dispute", () => {
    const decided = (code: string, sequence: number, author = 'uma') =>
      ({ kind: 'DISPUTE_RESOLUTION', code, author, sequence }) as const;
    const acceptor = (annotations: RelatedRows['annotations'], ...reviews: RelatedRows['reviews']) =>
      related({ annotations, reviews }, 9).approvalAcceptedBy;
    const accepted = decided('ACCEPT_PROVIDER', 5);
    const before = [review(3, 'ravi', 'REJECTED'), review(4, null)];
    expect(acceptor([accepted], ...before)).toBe('uma');
    expect(acceptor([accepted])).toBe('uma');
    expect(acceptor([accepted], ...before, review(9, null))).toBe('uma');
    const kept = decided('KEEP_OURS', 9, 'dev');
    expect(acceptor([accepted, kept], ...before, review(8, null, 'REJECTED'))).toBe('uma');
    expect(acceptor([accepted], ...before, review(9, 'ravi'))).toBeNull();
    expect(acceptor([accepted], ...before, review(6, 'dev', 'REJECTED', 'AUDITOR'))).toBe('uma');
    expect(acceptor([accepted], review(3, 'ravi'), review(4, null, 'UNABLE_TO_VALIDATE'))).toBeNull();
    expect(acceptor([decided('KEEP_OURS', 5)], ...before)).toBeNull();
  });

  test("toActionFacts lists as deciders the people who accepted the provider's decision in a dispute, and not those who kept the session's", () => {
    const decided = (code: string, sequence: number, author: string) =>
      ({ kind: 'DISPUTE_RESOLUTION', code, author, sequence }) as const;
    const annotations = [decided('ACCEPT_PROVIDER', 4, 'uma'), decided('KEEP_OURS', 6, 'dev')];
    expect(related({ annotations }).deciders).toEqual(['uma']);
  });

  test('toActionFacts lists as deciders all reviewers and the people who closed or replaced the session, but no authors of notes', () => {
    const reviews = [review(3, 'ravi'), review(5, null), review(8, 'uma', 'APPROVED', 'AUDITOR')];
    const annotations = [
      { kind: 'NOTE' as const, code: null, author: 'nils', sequence: 9 },
      { kind: 'CLOSURE' as const, code: 'TECHNICAL', author: 'cara', sequence: 10 },
    ];
    expect(related({ reviews, annotations, replacer: 'olga' }).deciders).toEqual([
      'ravi',
      'uma',
      'cara',
      'olga',
    ]);
  });

  test('a meeting counts as booked in the gateway only if a mutation booked it', () => {
    const startsAt = msFromNow(1);
    const booked = (source: TransitionSource) => related({ meeting: { startsAt, source } });
    expect(booked('MUTATION')).toMatchObject({ meetingAt: startsAt, meetingBookedHere: true });
    expect(booked('POLL')).toMatchObject({ meetingAt: startsAt, meetingBookedHere: false });
    expect(related({})).toMatchObject({ meetingAt: null, meetingBookedHere: false });
  });
});

describe('findSessionActionDenial of the actions of staff', () => {
  test('a replaced session allows only three actions: request its recording, resolve its dispute, resolve its escalation', () => {
    const flags = { replaced: true, disputed: true, escalated: true };
    const allowed = ALL_SESSION_ACTIONS.filter(
      (action) => denial(action, 'AUDITOR_REJECTED', flags) === null,
    );
    expect(allowed).toEqual(['REQUEST_RECORDING', 'RESOLVE_DISPUTE', 'RESOLVE_ESCALATION']);
    expect(denial('ADD_NOTE', 'AUDITOR_REJECTED', flags)).toBe(
      'Another session replaces this one: act on that session.',
    );
  });

  test('an expired session can be closed once; a disputed one can be closed, replaced or audited only after the dispute is resolved', () => {
    expect(denial('CLOSE', 'VKYC_EXPIRED')).toBe(null);
    expect(denial('CLOSE', 'VKYC_EXPIRED', { closed: true })).toBe('The session is closed already.');
    const disputed = 'The session is disputed: resolve the dispute first.';
    expect(denial('CLOSE', 'AUDITOR_REJECTED', { disputed: true })).toBe(disputed);
    expect(denial('REPLACE', 'AUDITOR_REJECTED', { disputed: true })).toBe(disputed);
    expect(denial('RECORD_AUDITOR_REVIEW', 'AGENT_APPROVED', { disputed: true })).toBe(disputed);
    expect(denial('RECORD_AUDITOR_REVIEW', 'AGENT_REJECTED', { disputed: true })).toBe(
      'An auditor review is possible only after an agent has approved.',
    );
  });

  test('neither a reviewer nor the person who closed the session may resolve its dispute', () => {
    const asked = (id: string) =>
      denial('RESOLVE_DISPUTE', 'AUDITOR_REJECTED', { disputed: true }, { as: viewer({ id }) });
    expect(asked('ravi')).toBe(
      "You reviewed, closed or replaced this session, or accepted the provider's decision in an earlier dispute: another person must resolve the dispute (four-eyes rule).",
    );
    expect(asked('uma')).toBe(null);
  });

  describe('of a session that is assigned to another person', () => {
    const others = { assignedAgent: 'meera', assignedUntil: null };
    const asked = (
      action: SessionAction,
      subStatus: SubStatus,
      role: Role,
      changes: Partial<ActionFacts> = {},
    ) => denial(action, subStatus, { ...others, ...changes }, { as: viewer({ roles: [role] }) });
    const REFUSED = /^The session is assigned to another person/;

    test.each([
      ['RECORD_AGENT_REVIEW', 'AGENT_ENDED_CALL', 'AGENT'],
      ['RECORD_AUDITOR_REVIEW', 'AGENT_APPROVED', 'AUDITOR'],
      ['CLOSE', 'AGENT_ENDED_CALL', 'AUDITOR'],
      ['ASSIGN', 'USER_QUEUED', 'AGENT'],
      ['UNASSIGN', 'USER_QUEUED', 'AUDITOR'],
    ] as const)(
      '%s is refused until the lease ends, and allowed to administrators',
      (action, subStatus, role) => {
        expect(asked(action, subStatus, role)).toMatch(REFUSED);
        expect(asked(action, subStatus, role, { assignedUntil: msFromNow(1) })).toMatch(REFUSED);
        expect(asked(action, subStatus, role, { assignedAgent: 'asha' })).toBe(null);
        expect(asked(action, subStatus, 'ADMIN')).toBe(null);
        const ended = asked(action, subStatus, role, { assignedUntil: NOW });
        expect(ended).toBe(action === 'UNASSIGN' ? 'The session is not assigned.' : null);
      },
    );

    test('all other actions stay possible', () => {
      for (const action of ['ADD_NOTE', 'ESCALATE', 'REFRESH', 'SCHEDULE_MEETING'] as const)
        expect(asked(action, 'USER_QUEUED', 'AGENT'), action).toBe(null);
    });
  });

  test('a session has at most one open escalation at a time', () => {
    expect(denial('ESCALATE', 'USER_DROPPED_OFF', { escalated: true })).toBe(
      'The session is escalated already: resolve the escalation first.',
    );
    expect(denial('RESOLVE_ESCALATION', 'USER_DROPPED_OFF', { escalated: true })).toBe(null);
  });
});

describe('tables of reviews, meetings and replacements by sub-status', () => {
  test('toReviewSubStatus maps each review decision to one sub-status, and REVIEW_BY_SUB_STATUS maps each of these sub-statuses back to its decision', () => {
    for (const [subStatus, review] of Object.entries(REVIEW_BY_SUB_STATUS))
      expect(toReviewSubStatus(review.stage, review.decision)).toBe(subStatus);
    expect(() => toReviewSubStatus('AUDITOR', 'UNABLE_TO_VALIDATE')).toThrow(
      'no sub-status for the AUDITOR review UNABLE_TO_VALIDATE',
    );
    expect(Object.keys(REVIEW_BY_SUB_STATUS).toSorted()).toEqual(
      ALL_PAIRS.filter(({ status, subStatus }) => /REVIEWED$/.test(status) && subStatus !== 'UNRECOGNIZED')
        .map(({ subStatus }) => subStatus)
        .toSorted(),
    );
  });

  test('six sub-statuses mark the booked meeting as missed, completed or cancelled, and no other does', () => {
    expect(MEETING_OUTCOME_BY_SUB_STATUS).toEqual({
      USER_MISSED_MEETING: 'MISSED',
      USER_REJECTED_MEETING: 'MISSED',
      USER_ACCEPTED_MEETING: 'COMPLETED',
      USER_ENDED_CALL: 'COMPLETED',
      AGENT_ENDED_CALL: 'COMPLETED',
      USER_MEETING_CANCELLED: 'CANCELLED',
    });
  });

  test('a session may be replaced in every status but an approval, unless it is disputed or replaced already', () => {
    const refused = KNOWN_SUB_STATUSES.filter((subStatus) => denial('REPLACE', subStatus) !== null);
    expect(refused).toEqual(['AGENT_APPROVED', 'AUDITOR_APPROVED']);
    expect(denial('REPLACE', 'LINK_GENERATED', { linkExpiresAt: msFromNow(-1) })).toBeNull();
    expect(denial('REPLACE', 'AGENT_REJECTED', { closed: true })).toBeNull();
    expect(denial('REPLACE', 'AUDITOR_REJECTED', { disputed: true })).toContain('resolve the dispute first');
    expect(denial('REPLACE', 'VKYC_EXPIRED', { replaced: true })).toContain('act on that session');
  });

  test('a session that another session replaces cannot be replaced again, also if the flag `replaced` is not set', () => {
    expect(denial('REPLACE', 'USER_DROPPED_OFF', { hasReplacement: true })).toBe(
      'Another session replaces this one: act on that session.',
    );
    expect(denial('CLOSE', 'USER_DROPPED_OFF', { hasReplacement: true })).toBeNull();
  });

  test('the recording of a session that ended without a decision, or is disputed, is offered if the log reports a call', () => {
    const hidden = ALL_PAIRS.filter((pair) => mightHaveUnreportedCall({ ...pair, disputed: false }));
    expect(hidden.map(({ subStatus }) => subStatus).toSorted()).toEqual(
      TERMINAL.filter((each) => !each.startsWith('AUDITOR')).toSorted(),
    );
    expect(mightHaveUnreportedCall({ ...pairOf('USER_QUEUED'), disputed: true })).toBe(true);
    expect(mightHaveUnreportedCall({ ...pairOf('AGENT_APPROVED'), disputed: true })).toBe(false);
    for (const subStatus of ['REJECTED_BY_MERCHANT', 'REPLACED', 'VKYC_EXPIRED'] as const) {
      expect(denial('REQUEST_RECORDING', subStatus, { hadCall: true, replaced: true })).toBeNull();
      expect(denial('REQUEST_RECORDING', subStatus)).toBe(
        'The recording exists only after a call has ended.',
      );
    }
  });

  test('an ended session can be refreshed only while polls of the provider are planned', () => {
    for (const subStatus of TERMINAL) {
      expect(denial('REFRESH', subStatus)).toBe(OVER);
      expect(denial('REFRESH', subStatus, { polled: true })).toBeNull();
      expect(denial('SCHEDULE_MEETING', subStatus, { polled: true })).toBe(OVER);
      expect(denial('REFRESH', subStatus, { polled: true, replaced: true })).not.toBeNull();
    }
  });
});

describe('findClaimDenial', () => {
  const claim = (
    queue: 'AGENT' | 'AUDITOR',
    subStatus: SubStatus,
    changes: Partial<ActionFacts> = {},
    as = viewer({ roles: [queue] }),
  ) =>
    findClaimDenial(queue, facts(subStatus, changes), as, NOW, { auditUnknownAgents: false, notifies: true });

  test('the queues contain exactly the sessions that wait on their party, apart from calls in progress', () => {
    const inQueue = (queue: 'AGENT' | 'AUDITOR') =>
      KNOWN_SUB_STATUSES.filter((subStatus) => claim(queue, subStatus) === null);
    expect(inQueue('AGENT')).toEqual([
      ...['USER_QUEUED', 'SCHEDULED_USER_QUEUED', 'USER_ENDED_CALL', 'AGENT_ENDED_CALL'],
    ]);
    expect(inQueue('AUDITOR')).toEqual(['AGENT_APPROVED']);
    expect(claim('AGENT', 'USER_ACCEPTED_MEETING', { assignedAgent: 'asha' })).toBe(null);
    expect(claim('AGENT', 'AGENT_ENDED_CALL', { disputed: true })).toBe('The session is not in this queue.');
  });

  test('nobody gets a session that another person has, not even an administrator', () => {
    const admin = viewer({ roles: ['ADMIN'] });
    for (const as of [viewer({ roles: ['AGENT'] }), admin]) {
      expect(claim('AGENT', 'USER_QUEUED', { assignedAgent: 'meera' }, as)).toMatch(
        /^The session is assigned/,
      );
      const ended = { assignedAgent: 'meera', assignedUntil: NOW };
      expect(claim('AGENT', 'USER_QUEUED', ended, as)).toBe(null);
    }
  });

  test('nobody gets a session back that they could not validate, or an approval of their own', () => {
    expect(claim('AGENT', 'AGENT_ENDED_CALL', { unableAgent: 'asha' })).toMatch(
      /^This person could not validate/,
    );
    expect(claim('AGENT', 'AGENT_ENDED_CALL', { unableAgent: 'ravi' })).toBe(null);
    expect(claim('AUDITOR', 'AGENT_APPROVED', { agents: ['ravi', ' asha'] })).toMatch(/four-eyes rule/);
    expect(claim('AUDITOR', 'AGENT_APPROVED', { approvalAcceptedBy: 'asha' })).toMatch(/four-eyes rule/);
    expect(claim('AUDITOR', 'AGENT_APPROVED', { agentUnknown: true })).toMatch(/four-eyes rule/);
  });
});

describe('what people may do with a session that they decided on', () => {
  const as = (id: string) => ({ as: viewer({ id }), auditUnknownAgents: true });

  test('a reviewer of a session may perform every action on the session except its audit and the resolution of its dispute', () => {
    for (const action of ALL_SESSION_ACTIONS) {
      for (const subStatus of [
        'USER_QUEUED',
        'AGENT_ENDED_CALL',
        'AGENT_APPROVED',
        'AUDITOR_REJECTED',
      ] as const) {
        for (const disputed of [false, true]) {
          const [reviewer, stranger] = ['ravi', 'uma'].map((id) =>
            denial(action, subStatus, { disputed }, as(id)),
          );
          if (stranger === null && reviewer !== null)
            expect(['RECORD_AUDITOR_REVIEW', 'RESOLVE_DISPUTE']).toContain(action);
          else expect(reviewer).toBe(stranger);
        }
      }
    }
  });

  test('if several people decided on a session, none of them may resolve its dispute', () => {
    const ask = (deciders: string[], id: string) =>
      denial('RESOLVE_DISPUTE', 'AUDITOR_REJECTED', { disputed: true, deciders }, as(id));
    expect(ask(['ravi', 'uma'], 'ravi')).toContain('four-eyes rule');
    expect(ask(['ravi', 'uma'], 'uma')).toContain('four-eyes rule');
    expect(ask(['ravi', 'uma'], 'dev')).toBeNull();
  });

  test("the person who accepted the agent's approval by deciding a dispute may not audit that approval", () => {
    const changes = { approvalAcceptedBy: 'uma' };
    expect(denial('RECORD_AUDITOR_REVIEW', 'AGENT_APPROVED', changes, as('uma'))).toContain(
      "You accepted the agent's approval by deciding a dispute",
    );
    expect(denial('RECORD_AUDITOR_REVIEW', 'AGENT_APPROVED', changes, as('dev'))).toBeNull();
  });

  test("while a customer's call waits for its review, the only action that is refused for that reason is the booking of a meeting", () => {
    const customer = viewer({ roles: ['CUSTOMER'], verificationIds: ['loan-1'] });
    const waiting = ALL_SESSION_ACTIONS.filter((action) =>
      denial(action, 'AGENT_ENDED_CALL', {}, { as: customer })?.includes('waits for its review'),
    );
    expect(waiting).toEqual(['SCHEDULE_MEETING']);
  });

  test('mayHaveReplacer is true only for a session that is replaced and disputed', () => {
    const matters = [false, true].flatMap((replaced) =>
      [false, true].map((disputed) => needsReplacerName({ replaced, disputed })),
    );
    expect(matters).toEqual([false, false, false, true]);
  });
});

describe('findReviewDecisionDenial: decisions that are not possible', () => {
  const NOT_POSSIBLE = 'This decision is not possible in the current status.';
  const said = { callComplete: true, mayState: true };
  const asked = (action: SessionAction, to: KnownSubStatus, subStatus: KnownSubStatus) =>
    findReviewDecisionDenial(action, to, { ...pairOf(subStatus), unreviewedCall: null }, said);

  test('a decision of the auditor is refused as a review of the agent, and a decision of the agent as a review of the auditor', () => {
    expect(asked('RECORD_AGENT_REVIEW', 'AUDITOR_APPROVED', 'AGENT_ENDED_CALL')).toBe(NOT_POSSIBLE);
    expect(asked('RECORD_AUDITOR_REVIEW', 'AGENT_APPROVED', 'AGENT_APPROVED')).toBe(NOT_POSSIBLE);
    expect(asked('RECORD_AUDITOR_REVIEW', 'AUDITOR_APPROVED', 'AGENT_APPROVED')).toBeNull();
  });

  test('a review of the agent is refused after a booking if no call waits for a review', () => {
    expect(asked('RECORD_AGENT_REVIEW', 'AGENT_REJECTED', 'USER_MEETING_SCHEDULED')).toBe(NOT_POSSIBLE);
  });
});

describe('toActionFacts after the resolution of a dispute', () => {
  const of = (
    annotations: RelatedRows['annotations'],
    sequences: readonly number[],
    nextPollAt: Date | null = null,
  ) =>
    toActionFacts(
      { ...facts('AGENT_APPROVED'), version: 6, nextPollAt },
      {
        meeting: null,
        reviews: sequences.map((sequence) => ({
          sequence,
          reviewer: 'ravi',
          decision: 'APPROVED',
          stage: 'AGENT',
        })),
        annotations,
        unreviewedCall: null,
        hadCall: false,
        hasReplacement: false,
        replacer: null,
      },
    );
  const resolved = { kind: 'DISPUTE_RESOLUTION' as const, code: 'KEEP_OURS', author: 'uma', sequence: 6 };

  test('toActionFacts takes the agent only from a review that is older than the resolution of the dispute', () => {
    expect(of([resolved], [5]).agentUnknown).toBe(false);
    expect(of([resolved], [6]).agentUnknown).toBe(true);
    expect(of([resolved], [7]).agentUnknown).toBe(true);
  });

  test('toActionFacts does not take another annotation with the same sequence for the resolution of a dispute', () => {
    const closure = { ...resolved, kind: 'CLOSURE' as const, code: 'ACCEPT_PROVIDER' };
    expect(of([closure], [6])).toMatchObject({ agentUnknown: false, approvalAcceptedBy: null });
  });

  test('toActionFacts sets `polled` if a poll of the provider is planned', () => {
    expect(of([], [], NOW).polled).toBe(true);
    expect(of([], []).polled).toBe(false);
  });
});

describe('who may get a session', () => {
  test('a session that awaits its audit is assigned to nobody who reviewed it as agent or accepted its approval', () => {
    const approved = facts('AGENT_APPROVED', { agents: ['ravi', 'asha'], approvalAcceptedBy: 'olga' });

    for (const name of ['ravi', 'asha', 'olga'])
      expect(findAssigneeDenial(approved, name)).toMatch(/four-eyes/);
    expect(findAssigneeDenial(approved, 'uma')).toBeNull();
  });

  test('a session that awaits no audit may be assigned to the agent who reviewed it', () => {
    for (const subStatus of ['AGENT_ENDED_CALL', 'USER_QUEUED'] as const)
      expect(findAssigneeDenial(facts(subStatus), 'ravi')).toBeNull();
  });

  test('a session is not assigned to the agent who could not validate the customer', () => {
    const unable = facts('AGENT_UNABLE_TO_VALIDATE', { unableAgent: 'ravi', agents: [] });

    expect(findAssigneeDenial(unable, 'ravi')).toMatch(/could not validate/);
    expect(findAssigneeDenial(unable, 'uma')).toBeNull();
  });
});

test('only an ended session without the flag can have a replacement that must be searched', () => {
  const ended = [
    'VKYC_EXPIRED',
    'INSUFFICIENT_BALANCE',
    'TECHNICAL_ERROR',
    'AGENT_REJECTED',
    'AUDITOR_REJECTED',
  ];

  for (const pair of ALL_PAIRS) {
    const isEnded = ended.includes(pair.subStatus);
    expect(mightHaveUnflaggedReplacement({ ...pair, replaced: false }), pair.subStatus).toBe(isEnded);
    expect(mightHaveUnflaggedReplacement({ ...pair, replaced: true }), pair.subStatus).toBe(false);
  }
});
