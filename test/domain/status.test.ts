import { expect, test } from 'vitest';
import { OPERATION_ROLES } from '../../src/domain/access.ts';
import {
  ALL_PAIRS,
  CIRCUMSTANCES,
  findCircumstance,
  getAwaitedParty,
  getStatusInfo,
  isValidPair,
  KNOWN_PAIRS,
  type KnownSubStatus,
  PROVIDER_PAIRS,
  parseRawStatus,
  STATUSES,
  SUB_STATUSES,
  toStatusPair,
} from '../../src/domain/status.ts';

/** The status pairs of the provider's reference, copied from its page and not from our table. */
const REFERENCE = `
REJECTED INSUFFICIENT_BALANCE
RECEIVED LINK_GENERATED
EXPIRED VKYC_EXPIRED
PRE_VIDEO_CALL AADHAAR_VERIFICATION_SUCCESS
PRE_VIDEO_CALL AADHAAR_VERIFICATION_FAILED
PRE_VIDEO_CALL AADHAAR_VERIFICATION_EXPIRED
PRE_VIDEO_CALL USER_IP_VERIFICATION_SUCCESSFUL
PRE_VIDEO_CALL USER_PROXY_DETECTED
PRE_VIDEO_CALL TECHNICAL_FAILURE
PRE_VIDEO_CALL USER_LOCATION_VERIFICATION_SUCCESS
PRE_VIDEO_CALL USER_LOCATION_OUTSIDE_INDIA
PRE_VIDEO_CALL USER_AUDIO_CHECK_FAILED
PRE_VIDEO_CALL USER_VIDEO_CHECK_FAILED
PRE_VIDEO_CALL USER_LOCATION_PERMISSION_DISABLED
PRE_VIDEO_CALL USER_DEVICE_CHECK_SUCCESS
PRE_VIDEO_CALL USER_QUEUED
PRE_VIDEO_CALL SCHEDULED_USER_QUEUED
PRE_VIDEO_CALL NO_AGENT_FOUND
PRE_VIDEO_CALL AGENT_ASSIGNED_TO_USER
PRE_VIDEO_CALL USER_MEETING_SCHEDULED
PRE_VIDEO_CALL USER_MEETING_CANCELLED
VIDEO_CALL USER_ACCEPTED_MEETING
VIDEO_CALL USER_REJECTED_MEETING
VIDEO_CALL USER_MISSED_MEETING
VIDEO_CALL USER_DROPPED_OFF
VIDEO_CALL AGENT_DROPPED_OFF
VIDEO_CALL USER_ENDED_CALL
VIDEO_CALL AGENT_ENDED_CALL
FAILED TECHNICAL_ERROR
AGENT_REVIEWED AGENT_APPROVED
AGENT_REVIEWED AGENT_REJECTED
AGENT_REVIEWED AGENT_UNABLE_TO_VALIDATE
AUDITOR_REVIEWED AUDITOR_APPROVED
AUDITOR_REVIEWED AUDITOR_REJECTED`;

const pairs = REFERENCE.trim()
  .split('\n')
  .map((line) => line.split(' ') as [string, string]);

test("the status table holds exactly the status pairs of the provider's reference, and three that only the gateway sets", () => {
  const table = PROVIDER_PAIRS.map((info) => `${info.status} ${info.subStatus}`);
  const todo =
    'If the provider has added a status pair, add it to REFERENCE of this test as well, copied from the page of the provider';
  expect(table.toSorted(), todo).toEqual(pairs.map((pair) => pair.join(' ')).toSorted());
  const own = KNOWN_PAIRS.filter(({ reportedBy }) => reportedBy === 'MERCHANT');
  expect(own.map((info) => `${info.status} ${info.subStatus}`)).toEqual([
    'REJECTED REJECTED_BY_MERCHANT',
    'FAILED FAILED_BY_MERCHANT',
    'FAILED REPLACED',
  ]);
  expect(own.every(({ terminal, waitingOn }) => terminal && waitingOn === 'NOBODY')).toBe(true);
});

test('every status pair of the provider is recognised and has an explanation and a recommended action', () => {
  for (const [status, subStatus] of pairs) {
    const pair = parseRawStatus(status, subStatus);
    expect(pair).toEqual({ status, subStatus });
    expect(getStatusInfo(pair).explanation).toMatch(/\.$/);
    expect(getStatusInfo(pair).recommendedAction).toMatch(/\.$/);
  }
});

/**
 * Keywords of the provider's reference for each sub-status. Those before the bar must occur in our explanation, those
 * after the bar in our recommended action; `a/b` means a or b.
 */
const FACTS = {
  INSUFFICIENT_BALANCE: 'balance, low | add funds, again',
  LINK_GENERATED: 'link, exists/created | share, link, customer',
  VKYC_EXPIRED: 'link, expired | new session/request',
  AADHAAR_VERIFICATION_SUCCESS: 'aadhaar, verified | goes on/next step',
  AADHAAR_VERIFICATION_FAILED: 'aadhaar, could not/failed | try again, correct details',
  AADHAAR_VERIFICATION_EXPIRED: 'aadhaar, timed out/expired | start, again',
  USER_IP_VERIFICATION_SUCCESSFUL: 'ip, passed/verified | goes on/continue',
  USER_PROXY_DETECTED: 'proxy, vpn | off/disable, try again',
  TECHNICAL_FAILURE: 'technical, passing/temporary | try again, after some time, support',
  USER_LOCATION_VERIFICATION_SUCCESS: 'locat, inside india | device checks',
  USER_LOCATION_OUTSIDE_INDIA: 'outside india | reject, closeSession, try again, inside india',
  USER_AUDIO_CHECK_FAILED: 'microphone, not | enable, microphone, try again',
  USER_VIDEO_CHECK_FAILED: 'camera, not | enable, camera, try again',
  USER_LOCATION_PERMISSION_DISABLED: 'location, not allowed | allow, location',
  USER_DEVICE_CHECK_SUCCESS: 'camera, microphone, ready | queue, agent, scheduleMeeting',
  USER_QUEUED: 'queue, agent | wait',
  SCHEDULED_USER_QUEUED: 'queued, time, meeting | wait',
  NO_AGENT_FOUND: 'no agent, available | try again, after some time, scheduleMeeting',
  AGENT_ASSIGNED_TO_USER: 'agent, taken/assigned | nothing',
  USER_MEETING_SCHEDULED: 'meeting, booked | tell/notify, customer, time',
  USER_MEETING_CANCELLED: 'meeting, cancelled | another meeting, scheduleMeeting, try again',
  USER_ACCEPTED_MEETING: 'customer, accepted | start, video kyc',
  USER_REJECTED_MEETING:
    'customer, declined/rejected | another meeting, scheduleMeeting, failed, closeSession',
  USER_MISSED_MEETING: 'customer, not come/missed | another meeting, scheduleMeeting, try again',
  USER_DROPPED_OFF: 'customer, left, connection | note/log, addNote, investigate, escalateSession',
  AGENT_DROPPED_OFF: 'agent, left, connection | again, another agent, scheduleMeeting',
  USER_ENDED_CALL: 'customer ended | review, complete, recordAgentReview',
  AGENT_ENDED_CALL: "agent ended | review, agent's remarks, recordAgentReview",
  TECHNICAL_ERROR: 'technical error | try again, replacesSessionId, escalateSession',
  AGENT_APPROVED: 'agent approved | auditor, recordAuditorReview',
  AGENT_REJECTED: 'agent rejected | tell the customer, reason',
  AGENT_UNABLE_TO_VALIDATE:
    'neither approve nor reject | try again, another agent, new session, replacesSessionId',
  AUDITOR_APPROVED: 'auditor approved, succeeded | verification, complete',
  AUDITOR_REJECTED: 'auditor rejected, failed | verification, failed',
};

test.each(Object.entries(FACTS))(
  'the texts of %s keep every fact of the reference: %s',
  (subStatus, facts) => {
    const { explanation, recommendedAction, mutations } = getStatusInfo(
      toStatusPair(subStatus as KnownSubStatus),
    );
    const advice = `${recommendedAction} ${mutations.join(' ')}`;
    const [ofState = '', ofAdvice = ''] = facts.split(' | ');
    const missing = (text: string, keywords: string) =>
      keywords.split(', ').filter((each) => !each.split('/').some((one) => occurs(one, text)));
    expect(missing(explanation, ofState), explanation).toEqual([]);
    expect(missing(advice, ofAdvice), advice).toEqual([]);
  },
);

const occurs = (keyword: string, text: string): boolean => text.toLowerCase().includes(keyword.toLowerCase());

test('the facts of the reference are listed for each of its status pairs', () => {
  expect(Object.keys(FACTS).toSorted()).toEqual(pairs.map(([, subStatus]) => subStatus).toSorted());
});

test('the texts for staff name no mutation or field; the mutations of a status are listed apart, and the API has them', () => {
  const mutations = Object.keys(OPERATION_ROLES)
    .filter((operation) => operation.startsWith('Mutation.'))
    .map((operation) => operation.slice('Mutation.'.length));
  const fields = ['replacesSessionId', 'replacedBy', 'callComplete'];
  const named = [...ALL_PAIRS, ...Object.values(CIRCUMSTANCES)].flatMap((info) =>
    info.mutations.flatMap((each) => each.split(/, outcome (?:REJECTED|FAILED)| with /).filter(Boolean)),
  );
  expect(named.filter((name) => ![...mutations, ...fields].includes(name))).toEqual([]);
  expect(new Set(named)).toContain('closeSession');
  const texts = [
    ...ALL_PAIRS.map(({ explanation, recommendedAction }) => `${explanation} ${recommendedAction}`),
    ...Object.values(CIRCUMSTANCES).map(({ advice }) => advice),
  ];
  for (const text of texts) {
    expect([...mutations, ...fields].filter((name) => text.includes(name))).toEqual([]);
    expect(text).not.toContain('(');
  }
});

test('a session whose customer dropped off waits on the MERCHANT', () => {
  expect(getStatusInfo(toStatusPair('USER_DROPPED_OFF')).waitingOn).toBe('MERCHANT');
});

test('parseRawStatus turns an unknown raw status into UNRECOGNIZED; with an unknown sub-status the known status is kept', () => {
  expect(parseRawStatus('INITIATED', 'LINK_GENERATED')).toEqual({
    status: 'UNRECOGNIZED',
    subStatus: 'UNRECOGNIZED',
  });
  expect(parseRawStatus('VIDEO_CALL', 'USER_WAVED')).toEqual({
    status: 'VIDEO_CALL',
    subStatus: 'UNRECOGNIZED',
  });
  expect(parseRawStatus('VIDEO_CALL', 'AGENT_APPROVED')).toEqual({
    status: 'VIDEO_CALL',
    subStatus: 'UNRECOGNIZED',
  });
  expect(parseRawStatus('constructor', 'toString')).toEqual({
    status: 'UNRECOGNIZED',
    subStatus: 'UNRECOGNIZED',
  });
  // Only this API may set the pair; otherwise a provider that reported the same strings could close sessions.
  expect(parseRawStatus('FAILED', 'REPLACED')).toEqual({ status: 'FAILED', subStatus: 'UNRECOGNIZED' });
  expect(parseRawStatus('VIDEO_CALL', 'toString')).toEqual({
    status: 'VIDEO_CALL',
    subStatus: 'UNRECOGNIZED',
  });
});

test('each sub-status belongs to exactly one status, and the catalogue holds exactly the valid pairs', () => {
  for (const subStatus of SUB_STATUSES.filter((each) => each !== 'UNRECOGNIZED')) {
    expect(STATUSES.filter((status) => isValidPair({ status, subStatus }))).toHaveLength(1);
  }
  const together = STATUSES.flatMap((status) =>
    SUB_STATUSES.map((subStatus) => ({ status, subStatus })),
  ).filter(isValidPair);
  expect(together).toHaveLength(ALL_PAIRS.length);
});

test('an approval by the agent is not terminal and waits for the auditor', () => {
  expect(getStatusInfo({ status: 'AGENT_REVIEWED', subStatus: 'AGENT_APPROVED' })).toMatchObject({
    terminal: false,
    waitingOn: 'AUDITOR',
  });
  const over = KNOWN_PAIRS.filter((info) => info.terminal).map((info) => info.subStatus);
  expect(over.toSorted()).toEqual([
    'AUDITOR_APPROVED',
    'AUDITOR_REJECTED',
    'FAILED_BY_MERCHANT',
    'INSUFFICIENT_BALANCE',
    'REJECTED_BY_MERCHANT',
    'REPLACED',
    'VKYC_EXPIRED',
  ]);
});

test('a stored status pair that only a later release knows is read as UNRECOGNIZED; a status that this release knows is kept', () => {
  const later = (status: string, subStatus: string) => getStatusInfo({ status, subStatus } as never);
  const unknown = { subStatus: 'UNRECOGNIZED', waitingOn: 'PROVIDER', terminal: false };
  expect(later('VIDEO_CALL', 'USER_WAVED')).toMatchObject({ status: 'VIDEO_CALL', ...unknown });
  expect(later('REVISITED', 'USER_WAVED')).toMatchObject({ status: 'UNRECOGNIZED', ...unknown });
  expect(later('toString', 'USER_WAVED')).toMatchObject({ status: 'UNRECOGNIZED', ...unknown });
});

test('toStatusPair returns the pair of a known sub-status, and throws for UNRECOGNIZED', () => {
  expect(toStatusPair('AGENT_APPROVED')).toEqual({ status: 'AGENT_REVIEWED', subStatus: 'AGENT_APPROVED' });
  expect(() => toStatusPair('UNRECOGNIZED' as never)).toThrow('UNRECOGNIZED is not in the status table');
});

test('getAwaitedParty returns the merchant for a disputed session, nobody for a closed or replaced one, otherwise the party that the status names', () => {
  const pair = toStatusPair('USER_QUEUED');
  const party = (flags: { disputed?: true; closed?: true; replaced?: true }) =>
    getAwaitedParty(pair, { disputed: false, closed: false, replaced: false, ...flags });
  expect([party({}), party({ disputed: true })]).toEqual(['AGENT', 'MERCHANT']);
  expect([party({ closed: true }), party({ replaced: true })]).toEqual(['NOBODY', 'NOBODY']);
  expect(party({ disputed: true, closed: true })).toBe('MERCHANT');
});

test('findCircumstance names a dispute first, then a replacement, then a link that has expired while the session waits on the customer', () => {
  const now = new Date('2026-05-01T10:00:00Z');
  const circumstance = (
    subStatus: KnownSubStatus,
    facts: { disputed?: true; replaced?: true; linkExpiresAt?: Date } = {},
  ) =>
    findCircumstance(
      { ...toStatusPair(subStatus), disputed: false, replaced: false, linkExpiresAt: null, ...facts },
      now,
    );
  expect(circumstance('LINK_GENERATED')).toBeNull();
  expect(circumstance('REPLACED', { disputed: true, replaced: true })).toBe('DISPUTED');
  expect(circumstance('VKYC_EXPIRED', { replaced: true })).toBe('REPLACED');
  expect(circumstance('LINK_GENERATED', { linkExpiresAt: now })).toBe('LINK_ENDED');
  expect(circumstance('LINK_GENERATED', { linkExpiresAt: new Date(now.getTime() + 1) })).toBeNull();
  // The review of a call needs no link, and a session that is over none either.
  expect(circumstance('AGENT_ENDED_CALL', { linkExpiresAt: now })).toBeNull();
  expect(circumstance('AUDITOR_APPROVED', { linkExpiresAt: now })).toBeNull();
});

test('the status catalogue lists each known pair, then each status with the sub-status UNRECOGNIZED', () => {
  expect(STATUSES).toHaveLength(9);
  expect(STATUSES.at(-1)).toBe('UNRECOGNIZED');
  expect(SUB_STATUSES).toHaveLength(KNOWN_PAIRS.length + 1);
  expect(SUB_STATUSES.at(-1)).toBe('UNRECOGNIZED');
  expect(ALL_PAIRS.slice(0, KNOWN_PAIRS.length)).toEqual(KNOWN_PAIRS);
  expect(ALL_PAIRS.slice(KNOWN_PAIRS.length).map(({ status, subStatus }) => [status, subStatus])).toEqual(
    STATUSES.map((status) => [status, 'UNRECOGNIZED']),
  );
});
