import type { SessionRow } from '../db/sessions/sessions.ts';
import type { SessionTransition } from '../db/sessions/transitions.ts';
import type { Viewer } from '../domain/access.ts';
import type { CursorError, CursorExpiry, LogPosition } from './cursor.ts';
import type { FrameBudget } from './frame-budget.ts';
import type { FrameJson } from './frame-json.ts';
import type { Progress } from './log-tail.ts';

/** Event for a subscriber. Executing the subscriber's selection on it gives the JSON that is sent. */
export type Frame =
  | { readonly kind: 'TRANSITION'; readonly transition: SessionTransition }
  | { readonly kind: 'HEARTBEAT'; readonly at: LogPosition; readonly serverTime: Date }
  | {
      readonly kind: 'SNAPSHOT';
      readonly session: SessionRow;
      readonly resync: boolean;
      readonly at: LogPosition;
    }
  | { readonly kind: 'RESET'; readonly at: LogPosition; readonly cause: RestartCause };

export const RESTART_CAUSES = {
  TOO_FAR_BEHIND:
    'Too many transitions happened since the cursor to replay them, or the connection was too slow to receive them.',
  ARCHIVED: 'The transitions after the cursor were moved to an archive.',
  LOG_REWOUND:
    'The database lost its newest transitions in a failover or a restore. Some transitions that you received may be void; the gateway asks the provider for the affected sessions again.',
} as const satisfies Record<CursorExpiry | 'TOO_FAR_BEHIND', string>;
export type RestartCause = keyof typeof RESTART_CAUSES;

/**
 * Executed frame. All streams share it, except for the cursor of the previous frame, which each stream fills
 * in.
 */
export interface Executed {
  readonly json: FrameJson;
  /** Whether the result differs between viewers. */
  readonly dependsOnViewer: boolean;
  /** Whether the result may be cached: it shows only the frame itself, which never changes. */
  readonly immutable: boolean;
}

/** Selected fields of each frame. Subscribers with the same key share executions. */
export interface Selection {
  readonly key: string;
  /**
   * Executes the selection on frames and returns the results in order. Calls with the same `occasion` object share
   * DataLoaders. Rejects if an execution fails because of a fault of the gateway: such a result must not be sent.
   */
  execute(frames: readonly Frame[], viewer: Viewer, occasion: object): Promise<Executed[]>;
}

/** Destination of one subscription's frames: a WebSocket, or a response that stays open. */
export interface Sink {
  /** Sends an execution result. `replay` marks a past frame that is followed by more past frames. */
  send(json: string, replay: boolean): void;
  /** Corks the socket while `send` runs, so that its frames go out in one write. */
  cork(send: () => void): void;
  /** False while the socket is full, because the peer does not read. */
  readonly writable: boolean;
  /** Resolves when the sink is writable again, or closed. */
  drained(): Promise<void>;
  /** Closes the connection in a way that makes clients reconnect with their cursors. */
  closeForRetry(): void;
}

/** A subscriber's progress in a log, with the place that its cursor names. */
export interface LogProgress extends Progress {
  readonly at: LogPosition;
}

/**
 * Restart point for a subscriber that cannot resume: the frame to send (snapshot or reset) and the progress that it
 * stands for.
 */
export interface ResyncPoint extends LogProgress {
  readonly frame: Frame;
}

/** One subscription to a log. */
export interface Subscription {
  readonly selection: Selection;
  readonly sink: Sink;
  readonly viewer: Viewer;
  readonly budget: FrameBudget;
  /** The cursor that the client wants to resume after; null if it gave none. */
  readonly after: string | null;
  cursorOf(position: LogPosition): string;
  /** Whether the subscriber is sent this transition. */
  wants(transition: SessionTransition): boolean;
  /** Whether the subscriber is sent heartbeats while nothing happens. */
  readonly heartbeats: boolean;
  /**
   * Finds the restart point; null if the subscription has none. Without one, a subscriber that was too far
   * behind catches up from the log, however long that takes; after any other cause it ends with an error.
   * @throws CursorError if the followed log does not exist any more
   */
  readonly findResyncPoint: ((cause: RestartCause) => Promise<ResyncPoint>) | null;
}

/** Ends a subscription with an error. */
export type Expire = (error: CursorError) => void;
