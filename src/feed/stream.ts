import type { SessionRow } from '../db/sessions.ts';
import type { LogRow } from '../db/transitions.ts';
import type { Viewer } from '../domain/access.ts';
import type { CursorError, CursorExpiry, LogPlace } from './cursor.ts';
import type { FrameJson } from './frame-json.ts';
import type { Progress } from './tail.ts';

/** What a subscriber is shown, before its selection is executed on it. */
export type Frame =
  | { readonly kind: 'TRANSITION'; readonly transition: LogRow }
  | { readonly kind: 'HEARTBEAT'; readonly at: LogPlace; readonly serverTime: Date }
  | {
      readonly kind: 'SNAPSHOT';
      readonly session: SessionRow;
      readonly resync: boolean;
      readonly at: LogPlace;
    }
  | { readonly kind: 'RESET'; readonly at: LogPlace; readonly cause: RestartCause };

/** Why a subscriber was not sent everything since its last frame. */
export const RESTART_CAUSES = {
  TOO_FAR_BEHIND:
    'More happened since than is worth streaming, or the connection did not take it fast enough.',
  ARCHIVED: 'What followed the cursor was moved to an archive.',
  LOG_REWOUND:
    'The database lost its newest transitions in a failover or a restore. Some that you were shown may be void; the gateway asks the provider for them again.',
} as const satisfies Record<CursorExpiry | 'TOO_FAR_BEHIND', string>;
export type RestartCause = keyof typeof RESTART_CAUSES;

/** An executed frame: the same for all streams that share it, but for the cursor of the frame before it. */
export interface Executed {
  readonly json: FrameJson;
  /** Whether the result would be another for another viewer. */
  readonly dependsOnViewer: boolean;
  /** Whether it would be the same at any other time: it shows nothing but its frame, which never changes. */
  readonly lasting: boolean;
}

/** What a subscriber wants to see of each frame. Those of the same key share their executions. */
export interface Selection {
  readonly key: string;
  /**
   * Executes the selection on frames; results in their order. Executions with the same `occasion` object share what they
   * read. Rejects if one of them fails for a fault of the gateway: such a result is not a frame.
   */
  execute(frames: readonly Frame[], viewer: Viewer, occasion: object): Promise<Executed[]>;
}

/** Where one subscription's frames go: a WebSocket, or a response that stays open. */
export interface Sink {
  /** Sends an execution result; `replay` marks one of the past, after which more of the past follows. */
  send(json: string, replay: boolean): void;
  /** Sends what is sent meanwhile in one go. */
  together(send: () => void): void;
  /** False while the peer does not read what was sent. */
  readonly writable: boolean;
  /** Resolves when it is writable again, or closed. */
  drained(): Promise<void>;
  /** Gives the connection up, in a way that makes clients come back with their cursors. */
  abandon(): void;
}

/** Where a subscriber is in a log: the place that its cursor names, and how far that is. */
export interface LogProgress extends Progress {
  readonly at: LogPlace;
}

/** Restart point for a subscriber that cannot resume: the frame to send, and the progress that it stands for. */
export interface Anew extends LogProgress {
  readonly frame: Frame;
}

/** One subscription to a log. */
export interface Subscriber {
  readonly selection: Selection;
  readonly sink: Sink;
  readonly viewer: Viewer;
  /** The cursor that it resumes after, as the client gave it; null if it gave none. */
  readonly after: string | null;
  cursorOf(place: LogPlace): string;
  /** Which transitions it is shown. */
  wants(transition: LogRow): boolean;
  /** Whether it is sent heartbeats while nothing happens. */
  readonly heartbeats: boolean;
  /**
   * Finds its restart point; null if it has none. Without one it reads on from the log after it was too far behind,
   * whatever that takes, and otherwise ends with an error.
   * @throws CursorError if what it follows is gone as a whole
   */
  readonly startAnew: ((cause: RestartCause) => Promise<Anew>) | null;
}

/** How a subscription ends by itself. */
export type Expire = (error: CursorError) => void;
