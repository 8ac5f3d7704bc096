/**
 * The states of a subscription, and what becomes of each at each event. The table is total: a new state or event does
 * not compile until all its cells are filled in.
 */

/** How a subscription fares, for a badge: up to date, reading what it missed, or without proof of either. */
export type FeedState = 'live' | 'catching up' | 'stale';

export type State =
  /** Subscribed, without a sign of life from the server yet. */
  | 'OPENING'
  /** Connected; frames of the past may follow. */
  | 'CATCHING_UP'
  /** Everything so far was seen. */
  | 'LIVE'
  /** Frames are missing; waits to subscribe again. */
  | 'GAP'
  /** The server cannot give the frames; waits to subscribe again. */
  | 'FAULT'
  /** The connection is gone, or silent. */
  | 'LOST'
  | 'OVER';

export type Event =
  /** The transport is connected, for the first time or again. */
  | 'CONNECTED'
  /** A frame came after which more of the past may follow. */
  | 'PAST'
  /** A frame came that is the newest there is. */
  | 'NEWS'
  /** Nothing of the past came for a while. */
  | 'QUIET'
  /** A frame came whose predecessor is missing. */
  | 'GAP'
  /** A frame came that the server could not complete, or the stream ended without a refusal. */
  | 'FAULT'
  /** The connection closed, or nothing was heard for too long. */
  | 'LOSS'
  /** A subscription was sent. */
  | 'SUBSCRIBED'
  | 'END';

export const NEXT = {
  OPENING: {
    CONNECTED: 'CATCHING_UP',
    PAST: 'CATCHING_UP',
    NEWS: 'LIVE',
    QUIET: 'OPENING',
    GAP: 'GAP',
    FAULT: 'FAULT',
    LOSS: 'LOST',
    SUBSCRIBED: 'OPENING',
    END: 'OVER',
  },
  CATCHING_UP: {
    CONNECTED: 'CATCHING_UP',
    PAST: 'CATCHING_UP',
    NEWS: 'LIVE',
    QUIET: 'LIVE',
    GAP: 'GAP',
    FAULT: 'FAULT',
    LOSS: 'LOST',
    SUBSCRIBED: 'OPENING',
    END: 'OVER',
  },
  LIVE: {
    CONNECTED: 'CATCHING_UP',
    PAST: 'CATCHING_UP',
    NEWS: 'LIVE',
    QUIET: 'LIVE',
    GAP: 'GAP',
    FAULT: 'FAULT',
    LOSS: 'LOST',
    SUBSCRIBED: 'OPENING',
    END: 'OVER',
  },
  // What comes of a connection says nothing about frames that are missing: only a new subscription brings them.
  GAP: {
    CONNECTED: 'GAP',
    PAST: 'GAP',
    NEWS: 'GAP',
    QUIET: 'GAP',
    GAP: 'GAP',
    FAULT: 'FAULT',
    LOSS: 'FAULT',
    SUBSCRIBED: 'OPENING',
    END: 'OVER',
  },
  FAULT: {
    CONNECTED: 'FAULT',
    PAST: 'FAULT',
    NEWS: 'FAULT',
    QUIET: 'FAULT',
    GAP: 'FAULT',
    FAULT: 'FAULT',
    LOSS: 'FAULT',
    SUBSCRIBED: 'OPENING',
    END: 'OVER',
  },
  LOST: {
    CONNECTED: 'CATCHING_UP',
    PAST: 'CATCHING_UP',
    NEWS: 'LIVE',
    QUIET: 'LOST',
    GAP: 'GAP',
    FAULT: 'FAULT',
    LOSS: 'LOST',
    SUBSCRIBED: 'OPENING',
    END: 'OVER',
  },
  OVER: {
    CONNECTED: 'OVER',
    PAST: 'OVER',
    NEWS: 'OVER',
    QUIET: 'OVER',
    GAP: 'OVER',
    FAULT: 'OVER',
    LOSS: 'OVER',
    SUBSCRIBED: 'OVER',
    END: 'OVER',
  },
} as const satisfies Record<State, Record<Event, State>>;

/** What a badge shows; null: what it showed before. */
export const BADGE = {
  OPENING: null,
  CATCHING_UP: 'catching up',
  LIVE: 'live',
  GAP: 'catching up',
  FAULT: 'stale',
  LOST: 'stale',
  OVER: null,
} as const satisfies Record<State, FeedState | null>;
