/** What GraphiQL opens with: start a session, then watch it. */
export const FIRST_QUERY = `# 1. Start a session. With the sandbox, a word in the verification id chooses what happens:
#    happy-path (everything passes) or awaits-review (the decisions are left to you).
mutation Start {
  startSession(
    input: {
      verificationId: "graphiql.happy-path.1"
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

# 2. Watch everything that happens, as it happens.
subscription Watch {
  statusTransitions {
    session { verificationId }
    sequence
    status
    subStatus
    statusInfo { explanation waitingOn }
    occurredAt
    cursor
  }
}

# 3. Look at the newest sessions and their logs.
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
`;
