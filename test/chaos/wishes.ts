/** Random subscriptions for the subscribers of the fault tests. */
import type { SeededRandom } from '../../src/sandbox/seeded-random.ts';
import type { StartedSession } from './world.ts';

/** Subscription of one subscriber: which transitions it must receive, and by which operation and transport. */
export interface Wish {
  readonly scope: 'SESSION' | 'FILTER' | 'ALL';
  /** Session to follow; null for all sessions. */
  readonly session: StartedSession | null;
  readonly filter: { readonly status?: readonly string[]; readonly appliedOnly?: boolean };
  readonly operation: 'statusTransitions' | 'sessionLive' | 'feed';
  readonly transport: 'WEBSOCKET' | 'EVENT_STREAM';
  /** Whether the subscription selects `previousCursor`, with which a client detects lost frames. */
  readonly gapProof: boolean;
}

const FILTERS: readonly Wish['filter'][] = [
  { appliedOnly: true },
  { status: ['VIDEO_CALL'] },
  { status: ['PRE_VIDEO_CALL', 'AGENT_REVIEWED'] },
  { status: ['AGENT_REVIEWED', 'AUDITOR_REVIEWED', 'EXPIRED'], appliedOnly: false },
  { status: ['PRE_VIDEO_CALL', 'VIDEO_CALL'], appliedOnly: true },
];

const SCOPES = { SESSION: 14, FILTER: 3, ALL: 3 };
const FILTERED_SESSIONS = 0.2;
const FRAMES = 0.3;
const EVENT_STREAMS = 0.3;

/** Returns a random subscription; it selects `previousCursor` with the probability `gapProofs`. */
export function wishOf(sessions: readonly StartedSession[], random: SeededRandom, gapProofs = 0): Wish {
  const scope = random.pick<Wish['scope']>(SCOPES);
  const ofSession = scope === 'SESSION';
  const filters = scope === 'FILTER' || (ofSession && random.chance(FILTERED_SESSIONS));
  const inFrames = !(ofSession && filters) && random.chance(FRAMES);
  return {
    scope,
    session: ofSession ? oneOf(sessions, random) : null,
    filter: filters ? oneOf(FILTERS, random) : {},
    operation: inFrames ? (ofSession ? 'sessionLive' : 'feed') : 'statusTransitions',
    transport: random.chance(EVENT_STREAMS) ? 'EVENT_STREAM' : 'WEBSOCKET',
    gapProof: random.chance(gapProofs),
  };
}

export const oneOf = <T>(items: readonly T[], random: SeededRandom): T =>
  items[random.integer(0, items.length - 1)] as T;

/** Returns the subscription's text. It always selects `cursor`, and the `id` of transitions. */
export const operationOf = ({ operation, gapProof }: Wish): string =>
  gapProof ? OPERATIONS[operation].replaceAll(/\bcursor\b/g, 'cursor previousCursor') : OPERATIONS[operation];

const OPERATIONS: Record<Wish['operation'], string> = {
  statusTransitions: `subscription ($sessionId: ID, $filter: TransitionFilter, $after: String) {
    frame: statusTransitions(sessionId: $sessionId, filter: $filter, after: $after) { __typename id cursor sequence status applied recordedAt }
  }`,
  sessionLive: `subscription ($sessionId: ID!, $after: String) {
    frame: sessionLive(sessionId: $sessionId, after: $after) {
      __typename
      ... on SessionSnapshot { cursor resync }
      ... on StatusTransition { id cursor sequence status applied recordedAt }
      ... on Heartbeat { cursor serverTime }
    }
  }`,
  feed: `subscription ($filter: TransitionFilter, $after: String) {
    frame: feed(filter: $filter, after: $after) {
      __typename
      ... on StatusTransition { id cursor sequence status applied recordedAt }
      ... on Heartbeat { cursor serverTime }
      ... on FeedReset { cursor }
    }
  }`,
};

/** Returns a description of the subscription for reports. */
export const nameOf = ({ scope, session, filter, operation, transport, gapProof }: Wish): string =>
  [
    scope,
    operation,
    transport,
    gapProof ? 'gap proof' : null,
    session?.id,
    Object.keys(filter).length > 0 ? JSON.stringify(filter) : null,
  ]
    .filter(Boolean)
    .join(' ');
