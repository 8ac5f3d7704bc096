/** Test helper: staff and customers who use a gateway, with the operations of their screens. */
import { randomUUID } from 'node:crypto';
import type { Gateway } from './gateway.ts';

const SESSION = `
  id verificationId status subStatus version disputed availableActions blockedActions { action reason }
  statusInfo { waitingOn terminal }
  meeting { id startsAt status source scheduledBy }
  meetings(first: 20) { nodes { startsAt status source scheduledBy reason cancelledBy cancelReason } }
  reviews { id stage decision remarks reasons reasonTexts customerMessage callComplete source reviewer }
  replaces { id } replacedBy { id }`;

const RESULT = `
  __typename
  ... on MutationError { code message retryable }
  ... on InvalidInputError { problems { path message } }
  ... on ActionNotAllowedError { action session { ${SESSION} } }
  ... on ConflictError { currentSession { ${SESSION} } }`;

const UNAVAILABLE =
  '... on TimeUnavailableError { reason nextFreeSlots { startsAt endsAt available capacity booked free } session { id version } }';

const ESCALATION = 'id reason note escalatedBy escalatedAt resolution resolvedBy resolvedAt';

const ASSIGNED = 'assignedAgent assignedAt assignedUntil';
const ASSIGNMENT = 'id agent claimed takenOverFrom assignedBy assignedAt unassignedBy unassignedAt';

const ACTIONS = {
  scheduleMeeting: `mutation ($input: ScheduleMeetingInput!) { result: scheduleMeeting(input: $input) { ${RESULT} ${UNAVAILABLE} ... on ScheduleMeetingSuccess { replayed meeting { id startsAt status } session { ${SESSION} } } } }`,
  cancelMeeting: `mutation ($input: CancelMeetingInput!) { result: cancelMeeting(input: $input) { ${RESULT} ... on CancelMeetingSuccess { replayed meeting { id status cancelReason } session { ${SESSION} } } } }`,
  recordAgentReview: `mutation ($input: RecordAgentReviewInput!) { result: recordAgentReview(input: $input) { ${RESULT} ... on RecordReviewSuccess { replayed review { id decision remarks reasons customerMessage callComplete reviewer } session { ${SESSION} } } } }`,
  recordAuditorReview: `mutation ($input: RecordAuditorReviewInput!) { result: recordAuditorReview(input: $input) { ${RESULT} ... on RecordReviewSuccess { replayed review { id decision remarks reasons customerMessage callComplete reviewer } session { ${SESSION} } } } }`,
  closeSession: `mutation ($input: CloseSessionInput!) { result: closeSession(input: $input) { ${RESULT} ... on CloseSessionSuccess { replayed closure { id outcome reason note closedBy closedAt } session { ${SESSION} } } } }`,
  addNote: `mutation ($input: AddNoteInput!) { result: addNote(input: $input) { ${RESULT} ... on AddNoteSuccess { replayed note { id text author recordedAt } session { ${SESSION} } } } }`,
  labelSession: `mutation ($input: LabelSessionInput!) { result: labelSession(input: $input) { ${RESULT} ... on LabelSessionSuccess { replayed session { ${SESSION} metadata { key value } tags } } } }`,
  escalateSession: `mutation ($input: EscalateSessionInput!) { result: escalateSession(input: $input) { ${RESULT} ... on EscalateSessionSuccess { replayed escalation { ${ESCALATION} } session { ${SESSION} } } } }`,
  resolveEscalation: `mutation ($input: ResolveEscalationInput!) { result: resolveEscalation(input: $input) { ${RESULT} ... on ResolveEscalationSuccess { replayed escalation { ${ESCALATION} } session { ${SESSION} } } } }`,
  notifyCustomer: `mutation ($input: NotifyCustomerInput!) { result: notifyCustomer(input: $input) { ${RESULT} ... on NotifyCustomerSuccess { replayed notification { id kind channel locale text state outcome dueAt settledAt requestedBy causedBy { sequence changes applied } } session { ${SESSION} } } } }`,
  resolveDispute: `mutation ($input: ResolveDisputeInput!) { result: resolveDispute(input: $input) { ${RESULT} ... on ResolveDisputeSuccess { replayed resolution { id resolution note resolvedBy resolvedAt } session { ${SESSION} } } } }`,
  assignAgent: `mutation ($input: AssignAgentInput!) { result: assignAgent(input: $input) { ${RESULT} ... on AssignAgentSuccess { replayed assignment { ${ASSIGNMENT} } session { ${ASSIGNED} ${SESSION} } } } }`,
  unassignAgent: `mutation ($input: UnassignAgentInput!) { result: unassignAgent(input: $input) { ${RESULT} ... on UnassignAgentSuccess { replayed assignment { ${ASSIGNMENT} } session { ${ASSIGNED} ${SESSION} } } } }`,
};

const CLAIM = `mutation ($input: ClaimNextInput!) { result: claimNext(input: $input) { __typename ... on MutationError { code message retryable } ... on InvalidInputError { problems { path message } } ... on QueueEmpty { queue } ... on ClaimNextSuccess { replayed assignment { ${ASSIGNMENT} } session { ${ASSIGNED} ${SESSION} } } } }`;

const START = `mutation ($input: StartSessionInput!) { result: startSession(input: $input) { __typename ... on MutationError { code message retryable } ... on InvalidInputError { problems { path message } } ... on StartSessionSuccess { replayed session { ${SESSION} user { userId } } } } }`;

const PROVIDER_RESULT = `__typename ... on MutationError { code message retryable } ... on ActionNotAllowedError { action session { id } }`;
const PROVIDER_ACTIONS = {
  refreshSession: `mutation ($id: ID!) { result: refreshSession(sessionId: $id) { ${PROVIDER_RESULT} ... on RefreshSessionSuccess { changed session { ${SESSION} } } } }`,
  requestRecording: `mutation ($id: ID!) { result: requestRecording(sessionId: $id) { ${PROVIDER_RESULT} ... on RequestRecordingSuccess { recording { url expiresAt } } } }`,
  createSdkToken: `mutation ($id: ID!) { result: createSdkToken(sessionId: $id) { ${PROVIDER_RESULT} ... on CreateSdkTokenSuccess { token expiresAt } } }`,
};

export interface Person {
  /** Returns the session as this person sees it. */
  look(id: string): Promise<any>;
  act(action: keyof typeof ACTIONS, sessionId: string, input?: object): Promise<any>;
  ask(action: keyof typeof PROVIDER_ACTIONS, sessionId: string): Promise<any>;
  /** Takes the next session from a queue; with `languages`, one whose customer speaks one of them. */
  claim(queue: 'AGENT' | 'AUDITOR', idempotencyKey?: string, languages?: readonly string[]): Promise<any>;
  start(input: object): Promise<any>;
  /** Executes a query or mutation. Returns the field `result` of the response data. */
  query(text: string, variables?: object): Promise<any>;
}

/** Creates a person with their own token. */
export async function person(
  gateway: Pick<Gateway, 'token' | 'graphql'>,
  sub: string,
  role: string | string[],
  verificationIds: string[] = [],
): Promise<Person> {
  const token = await gateway.token({ sub, roles: [role].flat(), verification_ids: verificationIds });
  const headers = { authorization: `Bearer ${token}` };
  const answered = async (query: string, variables: object) => {
    const { data, errors } = await gateway.graphql(query, variables, headers);
    return data?.result ?? { errors };
  };
  return {
    look: (id) => answered(`query ($id: ID!) { result: session(id: $id) { ${SESSION} } }`, { id }),
    act: (action, sessionId, input = {}) =>
      answered(ACTIONS[action], { input: { sessionId, idempotencyKey: randomUUID(), ...input } }),
    ask: (action, id) => answered(PROVIDER_ACTIONS[action], { id }),
    claim: (queue, idempotencyKey = randomUUID(), languages) =>
      answered(CLAIM, { input: { queue, idempotencyKey, ...(languages && { languages }) } }),
    start: (input) => answered(START, { input }),
    query: (text, variables = {}) => answered(text, variables),
  };
}

/** Returns the time in this many minutes as an ISO string. */
export const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
