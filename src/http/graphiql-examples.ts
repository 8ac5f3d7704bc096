/**
 * Example operation that GraphiQL shows in a tab when it is opened. The tabs are in the order in which a
 * newcomer needs them.
 */
export interface GraphiqlExample {
  readonly query: string;
  /**
   * Variables as JSON. The first tab must not have any, because GraphiQL opens the first tab without
   * variables.
   */
  readonly variables?: string;
}

/**
 * Verification ids that the examples use. The CUSTOMER tokens that GraphiQL's page requests give access to
 * these sessions.
 */
export const EXAMPLE_VERIFICATION_IDS = ['graphiql.happy-path.1', 'graphiql.awaits-review.1'];

const asText = (variables: object): string => JSON.stringify(variables, null, 2);

export const GRAPHIQL_EXAMPLES: readonly GraphiqlExample[] = [
  {
    query: `# Start a session. With the sandbox, a word of the id
# chooses what happens: happy-path (everything passes),
# awaits-review (you decide), or another that the sandbox lists at /_sandbox.
mutation Start {
  startSession(
    input: {
      verificationId: "${EXAMPLE_VERIFICATION_IDS[0]}"
      user: { phone: "9988776655", name: "Asha Rao" }
    }
  ) {
    __typename
    ... on StartSessionSuccess {
      session { id verificationId status subStatus link startCursor }
      replayed
    }
    ... on MutationError { code message retryable }
  }
}
`,
  },
  {
    query: `# Watch the transitions of all sessions as they happen.
# Pass the last cursor as \`after\` to resume after it.
subscription Watch($after: String) {
  feed(after: $after) {
    __typename
    ... on StatusTransition {
      session { verificationId }
      sequence
      statusInfo { status subStatus explanation waitingOn }
      occurredAt
      cursor
    }
    ... on Heartbeat { serverTime cursor }
    ... on FeedReset { cursor }
  }
}
`,
  },
  {
    query: `# The newest sessions, each with its last five transitions.
query Sessions {
  sessions(first: 10) {
    totalCount
    nodes {
      id
      verificationId
      status
      subStatus
      statusInfo { explanation recommendedAction waitingOn terminal }
      transitions(last: 5) { nodes { sequence status subStatus source } }
    }
  }
}
`,
  },
  {
    query: `# One session: the actions that your role may take on it,
# and the reason why each other action is blocked.
query Session($verificationId: String!) {
  sessionByVerificationId(verificationId: $verificationId) {
    id
    version
    user { phone name }
    statusInfo { explanation recommendedAction waitingOn }
    availableActions
    blockedActions { action reason }
    reviews { stage decision remarks reviewer }
  }
}
`,
    variables: asText({ verificationId: EXAMPLE_VERIFICATION_IDS[0] }),
  },
  {
    query: `# Decide, as an AGENT, on a session whose call has ended.
# Put the session's id (from the tab Session) into the
# variables. The idempotencyKey makes a retry safe: use a
# new key for each decision.
mutation Decide($input: RecordAgentReviewInput!) {
  recordAgentReview(input: $input) {
    __typename
    ... on RecordReviewSuccess {
      replayed
      session { status subStatus statusInfo { explanation } }
    }
    ... on MutationError { code message retryable }
    ... on InvalidInputError { problems { path message } }
    ... on ActionNotAllowedError { session { availableActions } }
  }
}
`,
    variables: asText({ input: { sessionId: '', idempotencyKey: 'decision-1', decision: 'APPROVED' } }),
  },
  {
    query: `# Session counts by status, and a funnel over the phases.
query Stats {
  sessionStats {
    total
    byStatus { status subStatus count }
    funnel { status reached medianSecondsToReach }
  }
}
`,
  },
];
