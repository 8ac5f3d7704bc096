/**
 * Requests for a session or its objects, in every way that the API offers. An attacker sends these requests for a
 * foreign session (of another customer).
 */
import { inMinutes } from '../harness/people.ts';
import type { Request } from '../harness/transports.ts';
import type { Given } from './two-customers.ts';

type Attempts = Record<string, (given: Given) => Request>;

const RESULT = '__typename ... on MutationError { code message retryable }';
const startsAt = inMinutes(60);
export const USED_KEY = 'used by the customer before';
const PAGE = 'nodes { id } pageInfo { hasNextPage hasPreviousPage } totalCount';
const node = (id: string): Request => ({
  query: 'query ($id: ID!) { node(id: $id) { __typename id } }',
  variables: { id },
});
const sessions = (args: object): Request => ({
  query: `query ($first: Int, $last: Int, $after: String, $before: String, $filter: SessionFilter) {
    sessions(first: $first, last: $last, after: $after, before: $before, filter: $filter) { ${PAGE} } }`,
  variables: { first: 20, ...args },
});
const act = (action: string, input: object): Request => ({
  query: `mutation ($input: ${action[0]?.toUpperCase()}${action.slice(1)}Input!) { ${action}(input: $input) { ${RESULT} } }`,
  variables: { input: { idempotencyKey: 'fresh', ...input } },
});
/** Returns a request to book a meeting, by default with an unused idempotency key. */
export const schedule = (input: object): Request => act('scheduleMeeting', { startsAt, ...input });
const ask = (action: string, id: string): Request => ({
  query: `mutation ($id: ID!) { ${action}(sessionId: $id) { ${RESULT} } }`,
  variables: { id },
});
const follow = (field: string, id: string, after?: string): Request => ({
  query: `subscription ($id: ID!, $after: String) { ${field}(sessionId: $id, after: $after) { __typename } }`,
  variables: { id, after },
});
const relatives =
  (first: number) =>
  ({ relative }: Given): Request => ({
    query: `query ($id: ID!) { session(id: $id) { user { sessions(first: ${first}) { ${PAGE} } } } }`,
    variables: { id: relative },
  });

/**
 * Requests that name a session by its ids or keys. A viewer who may see the session gets another answer than a viewer
 * who may not.
 */
export const ASKED: Attempts = {
  session: ({ id }) => ({
    query: `query ($id: ID!) { session(id: $id) { id status link user { phone } availableActions } }`,
    variables: { id },
  }),
  'session, next to an own session': ({ mine, id }) => ({
    query: 'query ($own: ID!, $id: ID!) { own: session(id: $own) { id } session(id: $id) { id } }',
    variables: { own: mine, id },
  }),
  'node of the session': ({ id }) => node(id),
  'node of the user': ({ user }) => node(user),
  'node of a transition': ({ transition }) => node(transition),
  'node of a meeting': ({ meeting }) => node(meeting),
  'node of a review': ({ review }) => node(review),
  'nodes, next to an own session': ({ mine, id, user, transition, meeting, review }) => ({
    query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }',
    variables: { ids: [id, user, mine, transition, meeting, review] },
  }),
  'look-up by verification id': ({ verificationId }) => ({
    query: 'query ($id: String!) { sessionByVerificationId(verificationId: $id) { id } }',
    variables: { id: verificationId },
  }),
  'list with a filter by the verification id': ({ verificationId }) =>
    sessions({ filter: { verificationIdPrefix: verificationId } }),
  'list with a filter by a prefix of the verification id': ({ verificationId }) =>
    sessions({ filter: { verificationIdPrefix: verificationId.slice(0, 3) } }),
  'list with a filter by the user id': ({ userId }) => sessions({ filter: { userId } }),
  'replacedBy of an own session that the session replaces': ({ replaced }) => ({
    query: 'query ($id: ID!) { session(id: $id) { id replacedBy { id verificationId } availableActions } }',
    variables: { id: replaced },
  }),
  'replaces of an own session that replaces the session': ({ replacing }) => ({
    query: 'query ($id: ID!) { session(id: $id) { id replaces { id verificationId } availableActions } }',
    variables: { id: replacing },
  }),
  'the newest session of a user with own and foreign sessions': relatives(1),
  'the two newest sessions of a user with own and foreign sessions': relatives(2),
  'all sessions of a user with own and foreign sessions': relatives(100),
  scheduleMeeting: ({ id }) => schedule({ sessionId: id }),
  'scheduleMeeting with expectedVersion': ({ id }) => schedule({ sessionId: id, expectedVersion: 1 }),
  'scheduleMeeting with the idempotency key of the existing meeting': ({ id, key }) =>
    schedule({ sessionId: id, idempotencyKey: key }),
  'scheduleMeeting with an idempotency key used for an own session': ({ id }) =>
    schedule({ sessionId: id, idempotencyKey: USED_KEY }),
  cancelMeeting: ({ id }) => act('cancelMeeting', { sessionId: id }),
  'cancelMeeting with the idempotency key of the existing meeting': ({ id, key }) =>
    act('cancelMeeting', { sessionId: id, idempotencyKey: key }),
  createSdkToken: ({ id }) => ask('createSdkToken', id),
  refreshSession: ({ id }) => ask('refreshSession', id),
  requestRecording: ({ id }) => ask('requestRecording', id),
  recordAgentReview: ({ id }) => ({
    query: `mutation ($input: RecordAgentReviewInput!) { recordAgentReview(input: $input) { ${RESULT} } }`,
    variables: { input: { sessionId: id, idempotencyKey: 'fresh', decision: 'APPROVED' } },
  }),
  'startSession that replaces the session': ({ id }) => ({
    query: `mutation ($input: StartSessionInput!) { startSession(input: $input) { ${RESULT} } }`,
    variables: {
      input: { verificationId: 'own-8', user: { phone: '9988776655' }, replacesSessionId: id },
    },
  }),
};

/** Requests that page through a list or log from the position or cursor of a foreign session, without naming its id. */
export const PLACED: Attempts = {
  'list after the position of the session': ({ place }) => sessions({ after: place }),
  'list before the position of the session': ({ place }) =>
    sessions({ first: null, last: 20, before: place }),
  "list after a cursor of the session's log": ({ cursor }) => sessions({ after: cursor }),
  "own log after a cursor of the session's log": ({ mine, cursor }) => ({
    query: `query ($id: ID!, $after: String) { session(id: $id) { transitions(first: 9, after: $after) { nodes { id } } } }`,
    variables: { id: mine, after: cursor },
  }),
  "own meetings after the session's meeting": ({ mine, meeting }) => ({
    query: `query ($id: ID!, $after: String) { session(id: $id) { meetings(first: 9, after: $after) { nodes { id } } } }`,
    variables: { id: mine, after: meeting },
  }),
};

/** Subscriptions to a foreign session, and subscriptions that resume after a cursor of a foreign session. */
export const FOLLOWED: Attempts = {
  'statusTransitions of the session': ({ id }) => follow('statusTransitions', id),
  'statusTransitions of the session, after its cursor': ({ id, cursor }) =>
    follow('statusTransitions', id, cursor),
  "statusTransitions of an own session, after the foreign session's cursor": ({ mine, cursor }) =>
    follow('statusTransitions', mine, cursor),
  'sessionLive of the session': ({ id }) => follow('sessionLive', id),
  'sessionLive of the session, after its cursor': ({ id, cursor }) => follow('sessionLive', id, cursor),
  "sessionLive of an own session, after the foreign session's cursor": ({ mine, cursor }) =>
    follow('sessionLive', mine, cursor),
};
