/** GraphQL operations of the example. */
import { graphql } from './generated/gql.ts';

export const STATE = graphql(`
  fragment State on VkycSession {
    status
    subStatus
    statusInfo {
      waitingOn
    }
  }
`);

export const PERSON = graphql(`
  fragment Person on VkycSession {
    user {
      id
      name
    }
  }
`);

export const NEWEST = graphql(`
  query Newest($verificationIdPrefix: String!) {
    sessions(first: 10, filter: { verificationIdPrefix: $verificationIdPrefix }) {
      nodes {
        id
        verificationId
        ...State
        ...Person
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
`);

export const ONE = graphql(`
  query One($id: ID!) {
    session(id: $id) {
      id
      startCursor
      availableActions
      ...State
      ...Person
    }
  }
`);

export const START = graphql(`
  mutation Start($input: StartSessionInput!) {
    startSession(input: $input) {
      __typename
      ... on StartSessionSuccess {
        session {
          id
          verificationId
        }
      }
      ... on MutationError {
        code
        message
      }
      ... on InvalidInputError {
        problems {
          path
          message
        }
      }
    }
  }
`);

export const SCHEDULE = graphql(`
  mutation Schedule($input: ScheduleMeetingInput!) {
    scheduleMeeting(input: $input) {
      __typename
      ... on ScheduleMeetingSuccess {
        meeting {
          id
          status
        }
      }
      ... on MutationError {
        message
      }
    }
  }
`);

export const CANCEL = graphql(`
  mutation Cancel($input: CancelMeetingInput!) {
    cancelMeeting(input: $input) {
      __typename
      ... on CancelMeetingSuccess {
        meeting {
          id
          status
        }
      }
      ... on MutationError {
        message
      }
    }
  }
`);

export const WATCH = graphql(`
  subscription Watch($id: ID!, $after: String) {
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
`);
