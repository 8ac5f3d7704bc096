/** The advice of every status pair: staff read it, carry it out, and see what follows from it. */
import { describe, expect, test } from 'vitest';
import type { Role } from '../../src/domain/access.ts';
import type { SessionAction } from '../../src/domain/session.ts';
import {
  CIRCUMSTANCES,
  getStatusInfo,
  KNOWN_PAIRS,
  type KnownSubStatus,
  toStatusPair,
} from '../../src/domain/status.ts';
import type { ScenarioName } from '../../src/sandbox/scenarios.ts';
import { report, settled } from '../harness/acting.ts';
import { movableClock } from '../harness/clock.ts';
import { bootGateway } from '../harness/gateway.ts';
import { inMinutes, person } from '../harness/people.ts';
import {
  advanceTo,
  carryOut,
  type Deed,
  EVERY_ROLE,
  findingOf,
  MAY,
  perform,
  reach,
  readAdvice,
  type Story,
  subOf,
} from '../harness/stories.ts';

// Compares no results of graphql-js and compiled execution, which would take half of the time.
const gateway = await bootGateway({ bothWays: false });

const NOTE = 'Her son Rahul called: the power is out.';
const LONG_NOTE = 'x'.repeat(2001);

const SCHEDULE: Deed = {
  action: 'SCHEDULE_MEETING',
  mutation: 'scheduleMeeting',
  input: { startsAt: inMinutes(30) },
  result: {
    meeting: { status: 'SCHEDULED' },
    session: { subStatus: 'USER_MEETING_SCHEDULED', meeting: { source: 'MUTATION' } },
  },
  frames: [{ subStatus: 'USER_MEETING_SCHEDULED', applied: true, changes: ['STATUS', 'MEETINGS'] }],
  entries: ['MEETING', 'TRANSITION'],
  // It can be moved.
  staysOffered: true,
  refusal: { input: { startsAt: inMinutes(-1) }, message: 'The start time is in the past' },
};

const close = (outcome: 'REJECTED' | 'FAILED', reason: string, ended?: string): Deed => ({
  action: 'CLOSE',
  mutation: 'closeSession',
  input: { outcome, reason, note: NOTE },
  result: {
    closure: { outcome, reason, note: NOTE },
    session: { subStatus: ended ?? `${outcome}_BY_MERCHANT`, statusInfo: { waitingOn: 'NOBODY' } },
  },
  frames: [
    {
      subStatus: `${outcome}_BY_MERCHANT`,
      applied: ended === undefined,
      changes: ['STATUS', 'MEETINGS', 'CLOSURE'],
    },
  ],
  entries: ['TRANSITION', 'ANNOTATION'],
  refusedAfterwards: 'The session is closed already.',
  refusal: { input: { reason: 'OTHER', note: null }, path: 'note' },
});

const replace = (ended?: true): Deed => ({
  action: 'REPLACE',
  mutation: 'startSession',
  input: {},
  result: { session: { subStatus: 'LINK_GENERATED', replaces: { id: expect.any(String) } } },
  frames: [{ subStatus: 'REPLACED', applied: !ended, changes: ['STATUS', 'MEETINGS', 'REPLACEMENT'] }],
  entries: ['TRANSITION'],
  refusedAfterwards: 'Another session replaces this one',
  refusal: { input: { user: { phone: '9999999999' } }, path: 'replacesSessionId' },
});

const ADD_NOTE = (subStatus: string): Deed => ({
  action: 'ADD_NOTE',
  mutation: 'addNote',
  input: { note: NOTE },
  result: { note: { text: NOTE }, session: { subStatus } },
  frames: [{ subStatus, applied: false, changes: ['NOTES'] }],
  entries: ['TRANSITION', 'ANNOTATION'],
  staysOffered: true,
  refusal: { input: { note: LONG_NOTE }, path: 'note' },
});

const LABEL: Deed = {
  action: 'LABEL',
  mutation: 'labelSession',
  input: { addTags: ['vip'] },
  result: { session: { subStatus: 'LINK_GENERATED', tags: ['vip'] } },
  frames: [{ subStatus: 'LINK_GENERATED', applied: false, changes: ['LABELS'] }],
  entries: ['TRANSITION', 'LABELS'],
  staysOffered: true,
  refusal: { input: { addTags: [''] }, path: 'addTags.0' },
};

const escalate = (subStatus: string, reason: string): readonly [Deed, Deed] => [
  {
    action: 'ESCALATE',
    mutation: 'escalateSession',
    input: { reason, note: NOTE },
    result: { escalation: { reason, note: NOTE, resolvedAt: null }, session: { subStatus } },
    frames: [{ subStatus, applied: false, changes: ['ESCALATION'] }],
    entries: ['TRANSITION', 'ANNOTATION'],
    refusedAfterwards: 'The session is escalated already',
    refusal: { input: { reason: 'OTHER', note: null }, path: 'note' },
  },
  {
    action: 'RESOLVE_ESCALATION',
    mutation: 'resolveEscalation',
    input: { note: 'A power cut.' },
    result: { escalation: { reason, note: NOTE, resolution: 'A power cut.' }, session: { subStatus } },
    frames: [{ subStatus, applied: false, changes: ['ESCALATION'] }],
    entries: ['TRANSITION', 'ANNOTATION'],
    refusedAfterwards: 'The session is not escalated.',
    refusal: { input: { note: '' }, path: 'note' },
  },
];

interface ReviewInput {
  readonly decision: string;
  readonly [field: string]: unknown;
}

/** Review by an agent, with the input that is refused before. */
const reviewByAgent = (input: ReviewInput, refusal: Deed['refusal'] & object): Deed => ({
  action: 'RECORD_AGENT_REVIEW',
  mutation: 'recordAgentReview',
  input,
  result: { review: { ...input, reviewer: expect.any(String) } },
  frames: [
    {
      subStatus: `AGENT_${input.decision}`,
      applied: true,
      changes:
        input.decision === 'UNABLE_TO_VALIDATE' ? ['STATUS', 'REVIEWS'] : ['STATUS', 'MEETINGS', 'REVIEWS'],
    },
  ],
  entries: ['TRANSITION', 'REVIEW'],
  refusedAfterwards: 'The agent has already decided.',
  refusal,
});

const reviewByAuditor = (input: ReviewInput, refusal: Deed['refusal'] & object): Deed => ({
  action: 'RECORD_AUDITOR_REVIEW',
  mutation: 'recordAuditorReview',
  input,
  result: { review: input, session: { statusInfo: { waitingOn: 'NOBODY', terminal: true } } },
  frames: [
    {
      subStatus: `AUDITOR_${input.decision}`,
      applied: true,
      changes: ['STATUS', 'MEETINGS', 'REVIEWS'],
    },
  ],
  entries: ['TRANSITION', 'REVIEW'],
  refusedAfterwards: 'The session is over.',
  refusal,
});

const resolveDispute = (resolution: string, subStatus: string): Deed => ({
  action: 'RESOLVE_DISPUTE',
  mutation: 'resolveDispute',
  input: { resolution, note: NOTE, expectedSubStatus: subStatus },
  result: {
    resolution: { resolution, note: NOTE },
    session: { subStatus, disputed: false, statusInfo: { waitingOn: 'NOBODY' } },
  },
  frames: [{ subStatus, applied: true, changes: expect.arrayContaining(['STATUS', 'DISPUTE']) }],
  entries: ['TRANSITION', 'ANNOTATION'],
  refusedAfterwards: 'The session is not disputed.',
  refusal: { input: { expectedSubStatus: 'AGENT_REJECTED' }, message: 'Read the session again' },
});

const REJECTION = {
  decision: 'REJECTED',
  reasons: ['FACE_MISMATCH'],
  remarks: 'Not the person on the card.',
  customerMessage: 'Please visit our branch.',
} as const;
const UNEXPLAINED = { input: { reasons: ['OTHER'], remarks: null }, path: 'remarks' } as const;

/** People who acted before the story: the four-eyes rule does not concern the people of the story. */
async function before({ gateway: at }: Story) {
  const [agent, auditor] = await Promise.all([
    person(at, 'an earlier agent', 'AGENT'),
    person(at, 'an earlier auditor', 'AUDITOR'),
  ]);
  return { agent, auditor };
}

const done = (result: any): void => expect(result.__typename).toMatch(/Success$/);

/** How a session gets into a status that its scenario does not lead to by itself. */
type Prepare = (story: Story) => Promise<void>;

const approvedHere: Prepare = async (story) => {
  const { agent } = await before(story);
  done(await agent.act('recordAgentReview', story.id, { decision: 'APPROVED' }));
};
const rejectedHere: Prepare = async (story) => {
  const { agent } = await before(story);
  done(await agent.act('recordAgentReview', story.id, REJECTION));
};
const finallyHere =
  (decision: 'APPROVED' | 'REJECTED'): Prepare =>
  async (story) => {
    await approvedHere(story);
    const { auditor } = await before(story);
    const reasons = decision === 'REJECTED' ? ['DOCUMENT_DOUBTED'] : [];
    done(await auditor.act('recordAuditorReview', story.id, { decision, reasons }));
  };
const closedHere =
  (outcome: 'REJECTED' | 'FAILED'): Prepare =>
  async (story) => {
    const { agent } = await before(story);
    done(await agent.act('closeSession', story.id, { outcome, reason: 'CUSTOMER_WITHDREW' }));
  };
const replacedHere: Prepare = async ({ gateway: at, id, phone }) => {
  const operator = await person(at, 'an earlier operator', 'OPERATOR');
  const verificationId = `next.${crypto.randomUUID()}`;
  done(await operator.start({ verificationId, user: { phone }, replacesSessionId: id }));
};
const approvedAtTheProvider =
  (prepare: Prepare): Prepare =>
  async (story) => {
    await prepare(story);
    await advanceTo(story, 'late-approval', 'AUDITOR_APPROVED');
    await settled(story.gateway);
  };

/** Expects staff to read the remarks of the provider's agent, and the customer not to. */
async function expectRemarks({ people, id }: Story): Promise<void> {
  const query = 'query ($id: ID!) { result: session(id: $id) { agentRemarks } }';
  for (const role of EVERY_ROLE)
    expect(await people[role].query(query, { id }), role).toEqual({
      agentRemarks: role === 'CUSTOMER' ? null : expect.stringContaining('agent says'),
    });
}

/** Asks the provider, whose answer alone has the remarks of the agent. */
const REFRESH: Deed = {
  action: 'REFRESH',
  mutation: 'refreshSession',
  input: {},
  // The status is not new, but the remarks are.
  result: { changed: false, session: { subStatus: 'AGENT_ENDED_CALL' } },
  frames: [
    {
      ...{ subStatus: 'AGENT_ENDED_CALL', applied: false, source: 'POLL' },
      changes: ['MEETINGS', 'REVIEWS'],
    },
  ],
  entries: ['TRANSITION'],
  staysOffered: true,
  after: expectRemarks,
};

/** Reports steps by webhooks that the sandbox did not send. */
function reported(...steps: KnownSubStatus[]): Prepare {
  return async ({ gateway: at, verificationId }) => {
    for (const step of steps) {
      await report(at, verificationId, step);
      await settled(at);
    }
  };
}

const newestTransition = async ({ people, id }: Story): Promise<any> => {
  const query =
    'query ($id: ID!) { result: session(id: $id) { transitions(last: 1) { nodes { subStatus actor } } } }';
  return (await people.ADMIN.query(query, { id })).transitions.nodes[0];
};

interface Row {
  readonly pair: string;
  readonly scenario: ScenarioName;
  /** Step of the scenario, if it is not the pair's: `prepare` leads from it to the pair. */
  readonly from?: string;
  readonly prepare?: Prepare;
  /** What distinguishes the session from others with the same pair. */
  readonly state?: string;
  /** What the advice to staff says. */
  readonly advice: RegExp;
  /** What the text for the customer says. */
  readonly customer: RegExp;
  readonly waitingOn: string;
  /** Ways to follow the advice: each is a story of its own, with its actions in order. */
  readonly ways?: readonly (readonly Deed[])[];
  /** Mutations that the advice names, but that are refused in this session: `shows` checks the refusal. */
  readonly refuses?: readonly string[];
  /** Checks what the advice needs to be readable. */
  readonly shows?: (story: Story) => Promise<void>;
}

const NOTHING = /^Nothing to do: /;
const NEXT_STEP = /go on to the next step/;

const ROWS: readonly Row[] = [
  {
    pair: 'LINK_GENERATED',
    scenario: 'awaits-review',
    advice: /Share the link with the customer/,
    customer: /open the link/,
    waitingOn: 'CUSTOMER',
    async shows({ people, id }) {
      const linkOf = async (role: Role) =>
        (await people[role].query('query ($id: ID!) { result: session(id: $id) { link } }', { id })).link;
      for (const role of ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'] as const)
        expect(await linkOf(role), role).toMatch(/^https?:/);
      expect(await linkOf('VIEWER')).toBeNull();
    },
  },
  {
    pair: 'LINK_GENERATED',
    scenario: 'unheard-expiry',
    state: 'whose link has expired by the clock',
    advice: /Start a new session that replaces this one/,
    customer: /ask us for a new link/,
    waitingOn: 'CUSTOMER',
    ways: [[replace()]],
  },
  {
    pair: 'AADHAAR_VERIFICATION_SUCCESS',
    scenario: 'awaits-review',
    advice: NOTHING,
    customer: NEXT_STEP,
    waitingOn: 'CUSTOMER',
  },
  {
    pair: 'AADHAAR_VERIFICATION_FAILED',
    scenario: 'aadhaar-failed',
    advice: /Ask the customer to try again with correct details/,
    customer: /check the details and try again/,
    waitingOn: 'CUSTOMER',
  },
  {
    pair: 'AADHAAR_VERIFICATION_EXPIRED',
    scenario: 'aadhaar-expired',
    advice: /Ask the customer to start the Aadhaar step again/,
    customer: /start the Aadhaar step again/,
    waitingOn: 'CUSTOMER',
  },
  {
    pair: 'USER_IP_VERIFICATION_SUCCESSFUL',
    scenario: 'awaits-review',
    advice: NOTHING,
    customer: NEXT_STEP,
    waitingOn: 'CUSTOMER',
  },
  {
    pair: 'USER_PROXY_DETECTED',
    scenario: 'proxy-detected',
    advice: /switch the proxy or VPN off and try again/,
    customer: /switch it off and try again/,
    waitingOn: 'CUSTOMER',
  },
  {
    pair: 'TECHNICAL_FAILURE',
    scenario: 'technical-failure',
    advice: /try again after some time; if the problem persists, contact the provider's support/,
    customer: /try again after some time/,
    waitingOn: 'CUSTOMER',
    ways: [escalate('TECHNICAL_FAILURE', 'TECHNICAL')],
  },
  {
    pair: 'USER_LOCATION_VERIFICATION_SUCCESS',
    scenario: 'awaits-review',
    advice: NOTHING,
    customer: NEXT_STEP,
    waitingOn: 'CUSTOMER',
  },
  {
    pair: 'USER_LOCATION_OUTSIDE_INDIA',
    scenario: 'outside-india',
    advice: /Reject the customer.* or ask the customer to try again from inside India/,
    customer: /try again when you are in India/,
    waitingOn: 'CUSTOMER',
    ways: [[close('REJECTED', 'CUSTOMER_OUTSIDE_INDIA')]],
  },
  {
    pair: 'USER_AUDIO_CHECK_FAILED',
    scenario: 'microphone-off',
    advice: /enable the microphone and try again/,
    customer: /allow this page to use the microphone, and try again/,
    waitingOn: 'CUSTOMER',
  },
  {
    pair: 'USER_VIDEO_CHECK_FAILED',
    scenario: 'camera-off',
    advice: /enable the camera and try again/,
    customer: /allow this page to use the camera, and try again/,
    waitingOn: 'CUSTOMER',
  },
  {
    pair: 'USER_LOCATION_PERMISSION_DISABLED',
    scenario: 'location-denied',
    advice: /allow location access and try again/,
    customer: /allow location access and try again/,
    waitingOn: 'CUSTOMER',
  },
  {
    pair: 'USER_DEVICE_CHECK_SUCCESS',
    scenario: 'awaits-review',
    advice: /goes on to the queue for an agent, or books a meeting/,
    customer: /join the queue for the video call, or book a time/,
    waitingOn: 'CUSTOMER',
    ways: [[SCHEDULE]],
  },
  {
    pair: 'USER_QUEUED',
    scenario: 'awaits-review',
    advice: /^Wait until an agent is free/,
    customer: /keep this page open until an agent is free/,
    waitingOn: 'AGENT',
  },
  {
    pair: 'SCHEDULED_USER_QUEUED',
    scenario: 'awaits-review',
    advice: /^Wait until an agent takes the meeting/,
    customer: /keep this page open until an agent joins/,
    waitingOn: 'AGENT',
  },
  {
    pair: 'NO_AGENT_FOUND',
    scenario: 'no-agent',
    advice: /try again after some time, or book a meeting/,
    customer: /try again after some time, or book a time/,
    waitingOn: 'CUSTOMER',
    ways: [[SCHEDULE]],
  },
  {
    pair: 'AGENT_ASSIGNED_TO_USER',
    scenario: 'awaits-review',
    advice: NOTHING,
    customer: /join the call now/,
    waitingOn: 'CUSTOMER',
  },
  {
    pair: 'USER_MEETING_SCHEDULED',
    scenario: 'meeting-cancelled',
    advice: /Tell the customer the time of the meeting/,
    customer: /open your link at the booked time/,
    waitingOn: 'CUSTOMER',
    async shows({ people, id }) {
      for (const role of EVERY_ROLE)
        expect((await people[role].look(id)).meeting.startsAt, role).toMatch(/^\d{4}-\d\d-\d\dT/);
      expect((await people.OPERATOR.act('scheduleMeeting', id, SCHEDULE.input)).message).toMatch(
        /booked the meeting at the provider/,
      );
    },
  },
  {
    pair: 'USER_MEETING_CANCELLED',
    scenario: 'meeting-cancelled',
    advice: /Book another meeting.* or ask the customer to try again through the queue/,
    customer: /book another time, or join the queue/,
    waitingOn: 'CUSTOMER',
    ways: [[SCHEDULE]],
  },
  {
    pair: 'USER_ACCEPTED_MEETING',
    scenario: 'awaits-review',
    advice: /Start the Video KYC in the call/,
    customer: /do what the agent asks of you/,
    waitingOn: 'AGENT',
    async shows({ people, id }) {
      const refused = await people.OPERATOR.act('scheduleMeeting', id, SCHEDULE.input);
      expect(refused.message).toBe('The video call is in progress.');
    },
  },
  {
    pair: 'USER_REJECTED_MEETING',
    scenario: 'meeting-rejected',
    advice: /Book another meeting.* or close the session as failed/,
    customer: /book another time/,
    waitingOn: 'CUSTOMER',
    ways: [[SCHEDULE], [close('FAILED', 'MEETING_REJECTED')]],
  },
  {
    pair: 'USER_MISSED_MEETING',
    scenario: 'meeting-missed',
    advice: /Book another meeting.* or ask the customer to try again/,
    customer: /book another time, or try again/,
    waitingOn: 'CUSTOMER',
    ways: [[SCHEDULE]],
  },
  {
    pair: 'USER_DROPPED_OFF',
    scenario: 'user-drops-off',
    advice: /Note down what happened.* and have the cause investigated/,
    customer: /join again, or book another time/,
    waitingOn: 'MERCHANT',
    ways: [
      [ADD_NOTE('USER_DROPPED_OFF'), ...escalate('USER_DROPPED_OFF', 'CUSTOMER_DROPPED_OFF')],
      [SCHEDULE],
    ],
  },
  {
    pair: 'AGENT_DROPPED_OFF',
    scenario: 'agent-drops-off',
    advice: /Try the call again or give it to another agent/,
    customer: /join again, or book another time/,
    waitingOn: 'CUSTOMER',
    ways: [[SCHEDULE]],
  },
  {
    pair: 'USER_ENDED_CALL',
    scenario: 'user-ends-call',
    advice: /Review whether the call was complete; then record the agent's decision/,
    customer: /whether it was complete/,
    waitingOn: 'AGENT',
    ways: [
      [
        reviewByAgent(
          { decision: 'APPROVED', callComplete: true },
          { input: { callComplete: null }, message: 'only with your statement that it was complete' },
        ),
      ],
      [
        {
          ...SCHEDULE,
          input: { ...SCHEDULE.input, reason: NOTE },
          entries: ['MEETING', 'TRANSITION', 'ANNOTATION'],
          refusal: { input: { reason: null }, path: 'reason' },
          may: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
        },
      ],
    ],
  },
  {
    pair: 'AGENT_ENDED_CALL',
    scenario: 'awaits-review',
    advice: /Review the agent's remarks; then record the agent's decision/,
    customer: /wait for the result/,
    waitingOn: 'AGENT',
    ways: [[REFRESH, reviewByAgent(REJECTION, UNEXPLAINED)]],
  },
  {
    pair: 'AGENT_APPROVED',
    scenario: 'awaits-review',
    from: 'AGENT_ENDED_CALL',
    prepare: approvedHere,
    advice: /Go on to the auditor's review.* or wait.*; do not onboard the customer yet/,
    customer: /final check is under way/,
    waitingOn: 'AUDITOR',
    ways: [
      [
        reviewByAuditor(
          { decision: 'APPROVED' },
          { input: { expectedVersion: 1 }, message: 'Read it again' },
        ),
      ],
      [reviewByAuditor(REJECTION, UNEXPLAINED)],
    ],
  },
  {
    pair: 'AGENT_APPROVED',
    scenario: 'auditor-rejects',
    state: 'by an agent of the provider',
    advice: /or wait until the provider reports it/,
    customer: /final check is under way/,
    waitingOn: 'AUDITOR',
    refuses: ['recordAuditorReview'],
    async shows(story) {
      const { people, id } = story;
      for (const role of MAY.RECORD_AUDITOR_REVIEW) {
        const { message } = await people[role].act('recordAuditorReview', id, { decision: 'APPROVED' });
        expect(message).toContain('wait until the provider reports the decision of its auditor');
      }
      await advanceTo(story, 'auditor-rejects', 'AUDITOR_REJECTED');
      expect((await people.AUDITOR.look(id)).subStatus).toBe('AUDITOR_REJECTED');
    },
  },
  {
    pair: 'AGENT_REJECTED',
    scenario: 'awaits-review',
    from: 'AGENT_ENDED_CALL',
    prepare: rejectedHere,
    advice: /Tell the customer the reason of the rejection; replace the session if another try makes sense/,
    customer: /contact us to learn the reason/,
    waitingOn: 'MERCHANT',
    ways: [[replace()]],
    async shows({ people, id }) {
      const [review] = (await people.CUSTOMER.look(id)).reviews;
      expect(review).toMatchObject({
        reasons: ['FACE_MISMATCH'],
        reasonTexts: [expect.stringMatching(/\w+/)],
        customerMessage: REJECTION.customerMessage,
        remarks: null,
      });
    },
  },
  {
    pair: 'AGENT_UNABLE_TO_VALIDATE',
    scenario: 'unable-to-validate',
    advice: /Try again with another agent in a further call.* or in a new session that replaces this one/,
    customer: /Another call is needed/,
    waitingOn: 'CUSTOMER',
    ways: [[SCHEDULE], [replace()]],
  },
  {
    pair: 'AUDITOR_APPROVED',
    scenario: 'happy-path',
    advice: /Record the verification as complete in your systems and onboard the customer/,
    customer: /verification is complete/,
    waitingOn: 'NOBODY',
    async shows({ people, id }) {
      const { availableActions } = await people.ADMIN.look(id);
      expect(availableActions).toEqual(['REQUEST_RECORDING', 'ADD_NOTE', 'ESCALATE', 'LABEL']);
    },
  },
  {
    pair: 'AUDITOR_APPROVED',
    scenario: 'unheard-rejection',
    from: 'AGENT_ENDED_CALL',
    async prepare(story) {
      await finallyHere('APPROVED')(story);
      await advanceTo(story, 'unheard-rejection', 'AUDITOR_REJECTED');
      const { agent } = await before(story);
      done(await agent.ask('refreshSession', story.id));
    },
    state: 'that the provider rejected without a webhook',
    advice: /^First decide the dispute/,
    customer: /being checked once more/,
    waitingOn: 'MERCHANT',
    ways: [[resolveDispute('ACCEPT_PROVIDER', 'AUDITOR_REJECTED')]],
  },
  {
    pair: 'AUDITOR_REJECTED',
    scenario: 'auditor-rejects',
    advice: /Record the verification as failed in your systems and tell the customer; replace the session/,
    customer: /contact us to learn the reason/,
    waitingOn: 'NOBODY',
    ways: [[replace(true)]],
  },
  {
    pair: 'AUDITOR_REJECTED',
    scenario: 'late-approval',
    from: 'AGENT_ENDED_CALL',
    prepare: approvedAtTheProvider(finallyHere('REJECTED')),
    state: 'that the provider approved later',
    advice: /^First decide the dispute/,
    customer: /being checked once more/,
    waitingOn: 'MERCHANT',
    ways: [[resolveDispute('KEEP_OURS', 'AUDITOR_REJECTED')]],
  },
  {
    pair: 'INSUFFICIENT_BALANCE',
    scenario: 'insufficient-balance',
    advice: /Add funds at the provider, then try again with a new session that replaces this one/,
    customer: /not your fault/,
    waitingOn: 'MERCHANT',
    ways: [[replace(true)]],
  },
  {
    pair: 'REJECTED_BY_MERCHANT',
    scenario: 'outside-india',
    from: 'USER_LOCATION_OUTSIDE_INDIA',
    prepare: closedHere('REJECTED'),
    advice: /Tell the customer the reason of the closure/,
    customer: /contact us to learn the reason/,
    waitingOn: 'NOBODY',
    async shows({ people, id }) {
      const query = 'query ($id: ID!) { result: session(id: $id) { closure { reason } } }';
      expect((await people.OPERATOR.query(query, { id })).closure).toEqual({ reason: 'CUSTOMER_WITHDREW' });
    },
  },
  {
    pair: 'REJECTED_BY_MERCHANT',
    scenario: 'late-approval',
    from: 'AGENT_ENDED_CALL',
    prepare: approvedAtTheProvider(closedHere('REJECTED')),
    state: 'that the provider approved later',
    advice: /^First decide the dispute/,
    customer: /being checked once more/,
    waitingOn: 'MERCHANT',
    ways: [
      [resolveDispute('ACCEPT_PROVIDER', 'AUDITOR_APPROVED')],
      [resolveDispute('KEEP_OURS', 'REJECTED_BY_MERCHANT')],
    ],
  },
  {
    pair: 'TECHNICAL_ERROR',
    scenario: 'technical-error',
    advice: /Try again with a new session that replaces this one.* or escalate the session/,
    customer: /not your fault/,
    waitingOn: 'MERCHANT',
    ways: [[replace()], escalate('TECHNICAL_ERROR', 'PROVIDER')],
  },
  {
    pair: 'FAILED_BY_MERCHANT',
    scenario: 'meeting-rejected',
    from: 'USER_REJECTED_MEETING',
    prepare: closedHere('FAILED'),
    advice: /Replace the session if another try makes sense/,
    customer: /contact us/,
    waitingOn: 'NOBODY',
    ways: [[replace(true)]],
  },
  {
    pair: 'REPLACED',
    scenario: 'no-agent',
    from: 'NO_AGENT_FOUND',
    prepare: replacedHere,
    advice: /Go on with the session that replaces this one/,
    customer: /use the newest link/,
    waitingOn: 'NOBODY',
    async shows({ people, id }) {
      const { replacedBy, availableActions } = await people.OPERATOR.look(id);
      expect(availableActions).toEqual([]);
      expect((await people.OPERATOR.look(replacedBy.id)).subStatus).toBe('LINK_GENERATED');
    },
  },
  {
    pair: 'REPLACED',
    scenario: 'late-approval',
    from: 'AGENT_ENDED_CALL',
    prepare: approvedAtTheProvider(replacedHere),
    state: 'that the provider approved later',
    advice: /^First decide the dispute/,
    customer: /being checked once more/,
    waitingOn: 'MERCHANT',
    ways: [[resolveDispute('KEEP_OURS', 'REPLACED')]],
  },
  {
    pair: 'VKYC_EXPIRED',
    scenario: 'link-expires',
    advice: /Start a new session that replaces this one.*new link for the customer/,
    customer: /ask us for a new link/,
    waitingOn: 'MERCHANT',
    ways: [[replace(true)], [close('FAILED', 'CUSTOMER_UNREACHABLE', 'VKYC_EXPIRED')]],
  },
  {
    pair: 'VKYC_EXPIRED',
    scenario: 'link-expires',
    prepare: replacedHere,
    state: 'that another session replaces',
    advice: /Go on with the session that replaces this one/,
    customer: /use the newest link/,
    waitingOn: 'NOBODY',
  },
];

/** Takes a new session to the pair of a row. */
async function arrive(row: Row): Promise<Story> {
  const { scenario, pair, from = pair, prepare } = row;
  const isClockStory = scenario === 'unheard-expiry';
  const clock = movableClock();
  const at = isClockStory ? await bootGateway({ clock }) : gateway;
  const story = await reach(at, scenario, from);
  await prepare?.(story);
  if (isClockStory) clock.forward(60_000);
  return story;
}

/** Part of the advice that does not concern a session that is not disputed. */
const IF_DISPUTED = /; if the session is disputed, .*/;

const titleOf = ({ pair, state }: Row): string => (state ? `${pair} ${state}` : pair);

/** Roles in turn, so that different people carry out the advice of different pairs. */
const turns = new Map<SessionAction, number>();
function nextRole(action: SessionAction, may: readonly Role[] = MAY[action]): Role {
  const turn = turns.get(action) ?? 0;
  turns.set(action, turn + 1);
  return may[turn % may.length] as Role;
}

test('every status pair has a row', () => {
  expect(new Set(ROWS.map(({ pair }) => pair))).toEqual(
    new Set(KNOWN_PAIRS.map(({ subStatus }) => subStatus)),
  );
});

describe.each(ROWS.map((row) => [titleOf(row), row] as const))('%s', (_title, row) => {
  test('the advice says what to do, staff and the customer read their own texts, and each mutation that belongs to it is offered or refused as expected', async () => {
    const story = await arrive(row);
    const [staff, customer] = [await readAdvice(story, 'OPERATOR'), await readAdvice(story, 'CUSTOMER')];

    expect(staff).toMatchObject({ subStatus: row.pair, waitingOn: row.waitingOn });
    expect(staff.recommendedAction).toMatch(row.advice);
    expect(customer).toMatchObject({ subStatus: row.pair, waitingOn: row.waitingOn });
    expect(staff.customerMessage).toMatch(row.customer);
    expect(`${customer.explanation} ${customer.recommendedAction}`).toBe(staff.customerMessage);
    expect(customer.hindi).toBe(staff.hindi);
    expect(customer.hindi).toMatch(/[\u0900-\u097f]/);
    const listed =
      Object.values(CIRCUMSTANCES).find(({ advice }) => advice === staff.recommendedAction) ??
      getStatusInfo(toStatusPair(row.pair as KnownSubStatus));
    // An approval also advises what to do if the session is disputed; the disputed sessions have rows of their own.
    const named = listed.mutations
      .map((each) => each.replace(/[, ].*/, ''))
      .filter((name) => name !== 'resolveDispute' || !IF_DISPUTED.test(staff.recommendedAction));
    const performed = (row.ways ?? []).flat().map(({ mutation }) => mutation as string);
    const expected = [...performed, ...(row.refuses ?? [])];
    expect(named.filter((name) => !expected.includes(name))).toEqual([]);
    await row.shows?.(story);
    expect(await findingOf(story)).toBeNull();
  });

  for (const way of row.ways ?? [])
    test(`${way.map(({ mutation }) => mutation).join(', then ')} is offered, done once, streamed, in the audit chain, and refused where it must be`, async () => {
      const story = await arrive(row);
      for (const deed of way) await carryOut(story, deed, nextRole(deed.action, deed.may));
    });
});

/** Deeds by action, each with the way to a session in which it is possible. */
const DEEDS: readonly { deed: Deed; prepare: Prepare }[] = [
  { deed: SCHEDULE, prepare: async () => {} },
  { deed: close('FAILED', 'TECHNICAL'), prepare: async () => {} },
  { deed: replace(), prepare: async () => {} },
  { deed: ADD_NOTE('LINK_GENERATED'), prepare: async () => {} },
  { deed: LABEL, prepare: async () => {} },
  { deed: escalate('LINK_GENERATED', 'COMPLAINT')[0], prepare: async () => {} },
  {
    deed: escalate('LINK_GENERATED', 'COMPLAINT')[1],
    async prepare(story) {
      const { agent } = await before(story);
      done(await agent.act('escalateSession', story.id, { reason: 'COMPLAINT' }));
    },
  },
  { deed: reviewByAgent(REJECTION, UNEXPLAINED), prepare: reported('AGENT_ENDED_CALL') },
  {
    deed: reviewByAuditor(REJECTION, UNEXPLAINED),
    async prepare(story) {
      await reported('AGENT_ENDED_CALL')(story);
      await approvedHere(story);
    },
  },
  {
    deed: resolveDispute('KEEP_OURS', 'AUDITOR_REJECTED'),
    prepare: reported('AUDITOR_REJECTED', 'AUDITOR_APPROVED'),
  },
  { deed: REFRESH, prepare: async () => {} },
];

describe.each(DEEDS.map((each) => [each.deed.mutation, each] as const))('%s', (_mutation, each) => {
  test.each(MAY[each.deed.action])('can be performed by the role %s', async (role) => {
    const story = await reach(gateway, 'awaits-review', 'LINK_GENERATED');
    await each.prepare(story);

    done(await perform(story, each.deed, role, crypto.randomUUID(), each.deed.input));

    const { actor } = (await newestTransition(story)) ?? {};
    if (each.deed !== REFRESH)
      expect(actor).toEqual(role === 'CUSTOMER' ? expect.stringMatching(/^customer:/) : subOf(role));
    expect(await findingOf(story)).toBeNull();
  });
});
