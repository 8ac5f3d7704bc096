/**
 * State machine of a subscription: the states, the events, and the next state for each pair of both. The
 * types require a table entry for every state and event.
 */

/**
 * State of a subscription for display in an application: up to date (live), reading missed frames (catching
 * up), or possibly out of date (stale).
 */
export type FeedState = 'live' | 'catching up' | 'stale';

/** Why a subscription is in its state. */
export type FeedReason =
  /** The first answer of the server has not arrived yet. */
  | 'CONNECTING'
  /** The connection is open, and missed frames are being read. */
  | 'READING_MISSED'
  /** Every frame has arrived. */
  | 'UP_TO_DATE'
  /** A router or proxy lost frames; they will be requested again. */
  | 'FRAMES_LOST'
  /** The server could not deliver frames, or a router or proxy ended the stream; it will be requested again. */
  | 'SERVER_FAULT'
  /** The connection was closed, or delivered nothing for too long; it will be opened again. */
  | 'CONNECTION_LOST'
  /** The browser reports that it has no network. */
  | 'OFFLINE'
  /** The subscription has ended: it was left, or refused for another reason than the sign-in. */
  | 'ENDED'
  /** The subscription has ended because the token is not accepted, and does not get newer. Sign in again. */
  | 'SIGN_IN_ENDED';

/** State of a subscription, with why it is in it and since when. */
export interface FeedStatus {
  /** As `FeedState`; `connecting` before the first answer, and `over` after the end. */
  readonly state: FeedState | 'connecting' | 'over';
  /** When the subscription came into this state. A change of the reason alone does not change it. */
  readonly since: Date;
  readonly reason: FeedReason;
}

export type SubscriptionState =
  /** The subscription was requested, and the server has not responded yet. */
  | 'OPENING'
  /** The connection is open; past frames may still arrive. */
  | 'CATCHING_UP'
  /** All past frames have arrived, so the subscription is up to date. */
  | 'LIVE'
  /** Frames are missing (lost by a router or proxy). The client will subscribe again after a delay. */
  | 'GAP'
  /** The server failed to deliver frames. The client will subscribe again after a delay. */
  | 'FAULT'
  /** The connection broke, or was silent for too long. */
  | 'LOST'
  | 'OVER';

export type SubscriptionEvent =
  /** The connection was opened, for the first time or again. */
  | 'CONNECTED'
  /** A past frame arrived; more may follow. */
  | 'PAST'
  /** A live frame (not a past one) arrived, so the subscription is up to date. */
  | 'NEWS'
  /** No past frame has arrived for a while (`quietMs`). */
  | 'QUIET'
  /** A frame arrived, but the frame before it is missing. */
  | 'GAP'
  /** The server could not complete a frame, or a router or proxy ended the stream. */
  | 'FAULT'
  /** The connection closed, or received nothing for too long. */
  | 'LOSS'
  /** The client sent the subscription to the server, for the first time or again. */
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
  // A reconnect does not make the subscription live again, because it does not bring back the missing frames:
  // only a new subscription, requested after the last cursor, does.
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
} as const satisfies Record<SubscriptionState, Record<SubscriptionEvent, SubscriptionState>>;

/** State that is reported to the application for each internal state; null keeps the last reported state. */
export const REPORTED_STATE_BY_STATE = {
  OPENING: null,
  CATCHING_UP: 'catching up',
  LIVE: 'live',
  GAP: 'catching up',
  FAULT: 'stale',
  LOST: 'stale',
  OVER: null,
} as const satisfies Record<SubscriptionState, FeedState | null>;

/** Reason that is reported with each internal state, unless a more exact one is known. */
export const REASON_BY_STATE = {
  OPENING: 'CONNECTING',
  CATCHING_UP: 'READING_MISSED',
  LIVE: 'UP_TO_DATE',
  GAP: 'FRAMES_LOST',
  FAULT: 'SERVER_FAULT',
  LOST: 'CONNECTION_LOST',
  OVER: 'ENDED',
} as const satisfies Record<SubscriptionState, FeedReason>;
