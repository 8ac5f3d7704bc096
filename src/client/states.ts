/**
 * States of a subscription, and the next state for each event. The table is total: a new state or event does not
 * compile until all its cells are filled in.
 */

/** State of a subscription for a status badge: up to date, reading what it missed, or unable to tell. */
export type FeedState = 'live' | 'catching up' | 'stale';

export type State =
  /** Subscribed; the server has not answered yet. */
  | 'OPENING'
  /** Connected; past frames may follow. */
  | 'CATCHING_UP'
  /** Every frame so far was received. */
  | 'LIVE'
  /** Frames are missing; waiting to subscribe again. */
  | 'GAP'
  /** The server could not deliver frames; waiting to subscribe again. */
  | 'FAULT'
  /** The connection is lost or silent. */
  | 'LOST'
  | 'OVER';

export type Event =
  /** The transport is connected, for the first time or again. */
  | 'CONNECTED'
  /** A past frame came; more may follow. */
  | 'PAST'
  /** The newest frame came. */
  | 'NEWS'
  /** No past frame came for a while. */
  | 'QUIET'
  /** A frame came, but the one before it is missing. */
  | 'GAP'
  /** The server could not complete a frame, or the stream ended without a refusal. */
  | 'FAULT'
  /** The connection closed, or was silent for too long. */
  | 'LOSS'
  /** The subscription was requested. */
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
  // Events of the connection do not bring missing frames back: only a new subscription does.
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

/** Badge for each state; null leaves it unchanged. */
export const BADGE = {
  OPENING: null,
  CATCHING_UP: 'catching up',
  LIVE: 'live',
  GAP: 'catching up',
  FAULT: 'stale',
  LOST: 'stale',
  OVER: null,
} as const satisfies Record<State, FeedState | null>;
