import type { OverdueSession } from '../db/sessions/deadlines.ts';
import type { SessionRow } from '../db/sessions/sessions.ts';
import type { TransitionWithVerificationId } from '../db/sessions/transitions.ts';
import type { Viewer } from '../domain/access.ts';
import type { CursorError, CursorExpiryReason, LogPosition } from './cursor.ts';
import type { FrameBudget } from './frame-budget.ts';
import type { FrameJson } from './frame-json.ts';
import type { LogReadProgress } from './log-tail.ts';

/**
 * Event for a subscriber, before execution. Executing the subscriber's selection of fields on the frame gives
 * the JSON that is sent.
 */
export type UnexecutedFrame =
  | { readonly kind: 'TRANSITION'; readonly transition: TransitionWithVerificationId }
  | { readonly kind: 'HEARTBEAT'; readonly at: LogPosition; readonly serverTime: Date }
  | {
      readonly kind: 'SNAPSHOT';
      readonly session: SessionRow;
      readonly resync: boolean;
      readonly at: LogPosition;
    }
  | { readonly kind: 'RESET'; readonly at: LogPosition; readonly cause: RestartCause }
  | { readonly kind: 'DEADLINE'; readonly at: LogPosition; readonly due: OverdueSession };

export const RESTART_CAUSES = {
  TOO_FAR_BEHIND:
    'Too many transitions happened since the cursor to replay them, or the connection was too slow to receive them.',
  ARCHIVED: 'The transitions after the cursor were moved to an archive.',
  LOG_REWOUND:
    'The database lost its newest transitions in a failover or a restore. Some transitions that you received may be void; the gateway asks the provider again about every open session.',
} as const satisfies Record<CursorExpiryReason | 'TOO_FAR_BEHIND', string>;
export type RestartCause = keyof typeof RESTART_CAUSES;

/**
 * Result of executing a frame. All subscriptions with the same selection share the result; only the cursor of
 * the previous frame differs, which each stream fills in.
 */
export interface ExecutedFrame {
  readonly json: FrameJson;
  /** Whether the result differs between viewers. */
  readonly dependsOnViewer: boolean;
  /** Whether the result may be cached: it contains only data of the frame itself, which never changes. */
  readonly immutable: boolean;
}

/**
 * Fields that a subscription selects from each frame. Subscribers whose selections have the same key share
 * executions.
 */
export interface FrameSelection {
  readonly key: string;
  /**
   * Executes the selection on frames and returns the results in the same order. Calls with the same
   * `occasion` object share DataLoaders. Rejects if an execution fails by a fault of the gateway, because an
   * incomplete result must not be sent.
   */
  execute(frames: readonly UnexecutedFrame[], viewer: Viewer, occasion: object): Promise<ExecutedFrame[]>;
}

/** Destination of one subscription's frames: a WebSocket, or an HTTP response of server-sent events. */
export interface Sink {
  /** Sends an execution result as JSON. `replay` marks a past frame that is followed by more past frames. */
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

/** Progress of a subscriber in a log, with `at`, the place from which the subscriber's cursor is encoded. */
export interface SubscriberProgress extends LogReadProgress {
  readonly at: LogPosition;
}

/**
 * Restart point for a subscriber that cannot resume after its cursor: the frame to send (snapshot or reset),
 * and the progress in the log from which the subscriber continues.
 */
export interface ResyncPoint extends SubscriberProgress {
  readonly frame: UnexecutedFrame;
}

/** One client's subscription to a log. */
export interface LogSubscription {
  readonly selection: FrameSelection;
  readonly sink: Sink;
  readonly viewer: Viewer;
  readonly budget: FrameBudget;
  /** Cursor after which the client wants to resume; null if the client passed none. */
  readonly after: string | null;
  cursorOf(position: LogPosition): string;
  /** Whether the subscription's filter lets this transition through to the subscriber. */
  wants(transition: TransitionWithVerificationId): boolean;
  /**
   * Whether the subscriber is sent a frame when the deadline of this session passes; null if it is never sent such
   * frames.
   */
  readonly wantsDeadline: ((due: OverdueSession) => boolean) | null;
  /** Whether the subscriber is sent heartbeats while there are no new transitions. */
  readonly heartbeats: boolean;
  /**
   * Finds the restart point (snapshot or reset frame); null if the subscription has none. Without a restart
   * point, a subscriber that was too far behind reads everything it missed from the log, and after any other
   * cause its subscription ends with an error.
   * @throws CursorError if the followed log does not exist any more
   */
  readonly findResyncPoint: ((cause: RestartCause) => Promise<ResyncPoint>) | null;
}

/** Ends a subscription with a cursor error, which is sent to the client. */
export type EndWithCursorError = (error: CursorError) => void;
