/** GraphQL operations of the example. */
import { graphql } from 'relay-runtime';

export const STATE = graphql`
  fragment operations_state on VkycSession @inline {
    status
    subStatus
    statusInfo {
      waitingOn
    }
  }
`;

export const PERSON = graphql`
  fragment operations_person on VkycSession @inline {
    user {
      id
      name
    }
  }
`;

export const REFUSAL = graphql`
  fragment operations_refusal on MutationError @inline {
    message
  }
`;

export const NEWEST = graphql`
  query operationsNewestQuery($verificationIdPrefix: String!) {
    sessions(first: 10, filter: { verificationIdPrefix: $verificationIdPrefix }) {
      nodes {
        id
        verificationId
        ...operations_state
        ...operations_person
        transitions(last: 3) {
          nodes {
            id
            sequence
            subStatus
          }
        }
      }
    }
  }
`;

export const ONE = graphql`
  query operationsOneQuery($id: ID!) {
    session(id: $id) {
      id
      startCursor
      availableActions
      ...operations_state
      ...operations_person
    }
  }
`;

/**
 * Selects only concrete types of the union. Only then does Relay generate a union type, which the compiler
 * can narrow by `__typename`.
 */
export const STARTED = graphql`
  fragment operations_started on StartSessionResult @inline {
    __typename
    ... on StartSessionSuccess {
      session {
        verificationId
      }
    }
    ... on InvalidInputError {
      problems {
        path
        message
      }
    }
    ... on ConflictError {
      message
    }
    ... on ProviderError {
      code
      message
    }
  }
`;

export const START = graphql`
  mutation operationsStartMutation($input: StartSessionInput!) {
    startSession(input: $input) {
      ... on StartSessionSuccess {
        session {
          id
        }
      }
      ...operations_started
      ...operations_refusal @alias(as: "refusal")
    }
  }
`;

export const SCHEDULE = graphql`
  mutation operationsScheduleMutation($input: ScheduleMeetingInput!) {
    scheduleMeeting(input: $input) {
      ... on ScheduleMeetingSuccess {
        meeting {
          id
          status
        }
      }
      ...operations_refusal @alias(as: "refusal")
    }
  }
`;

export const CANCEL = graphql`
  mutation operationsCancelMutation($input: CancelMeetingInput!) {
    cancelMeeting(input: $input) {
      ... on CancelMeetingSuccess {
        meeting {
          id
          status
        }
      }
      ...operations_refusal @alias(as: "refusal")
    }
  }
`;

export const WATCH = graphql`
  subscription operationsWatchSubscription($id: ID!, $after: String) {
    sessionLive(sessionId: $id, after: $after) {
      __typename
      ... on SessionSnapshot {
        cursor
        previousCursor
        resync
      }
      ... on StatusTransition {
        id
        cursor
        previousCursor
        sequence
        status
        subStatus
        statusInfo {
          waitingOn
          terminal
        }
      }
      ... on Heartbeat {
        cursor
        previousCursor
      }
    }
  }
`;
