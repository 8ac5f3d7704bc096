/**
 * State machine of a subscription: its states, and the next state for each event. A new state or event does
 * not compile until the table has all its cells.
 */

/**
 * State of a subscription as an application shows it: up to date, reading what it missed, or unable to tell.
 */
export type FeedState = 'live' | 'catching up' | 'stale';

export type State =
  /** The subscription was requested, and the server has not responded yet. */
  | 'OPENING'
  /** The connection is open; frames of the past may follow. */
  | 'CATCHING_UP'
  /** The subscription is up to date: all past frames have arrived. */
  | 'LIVE'
  /** Frames were lost on the way; the subscription waits to be requested again. */
  | 'GAP'
  /** The server could not deliver frames; the subscription waits to be requested again. */
  | 'FAULT'
  /** The connection was lost, or was silent for too long. */
  | 'LOST'
  | 'OVER';

export type Event =
  /** The connection was opened, for the first time or again. */
  | 'CONNECTED'
  /** A frame of the past arrived; more may follow. */
  | 'PAST'
  /** A frame arrived that is not of the past, so the subscription is up to date. */
  | 'NEWS'
  /** No frame of the past has arrived for a while. */
  | 'QUIET'
  /** A frame arrived, but the one before it is missing. */
  | 'GAP'
  /** The server could not complete a frame, or a router or proxy ended the stream. */
  | 'FAULT'
  /** The connection closed, or was silent for too long. */
  | 'LOSS'
  /** The subscription was requested. */
  | 'SUBSCRIBED'
  | 'END';

export const NEXT_STATE = {
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
  // Events of the connection do not make the subscription live again, since they do not bring the missing
  // frames back: only a new subscription does.
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

/** State shown to the application for each internal state; null keeps the one shown before. */
export const BADGE = {
  OPENING: null,
  CATCHING_UP: 'catching up',
  LIVE: 'live',
  GAP: 'catching up',
  FAULT: 'stale',
  LOST: 'stale',
  OVER: null,
} as const satisfies Record<State, FeedState | null>;
