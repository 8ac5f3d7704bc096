import type { SessionRow } from '../db/sessions.ts';
import type { LogRow } from '../db/transitions.ts';
import type { Viewer } from '../domain/access.ts';
import type { LogPlace } from './cursor.ts';
import type { FrameJson } from './frame-json.ts';

/** What a subscriber is shown, before its selection is executed on it. */
export type Frame =
  | { readonly kind: 'TRANSITION'; readonly transition: LogRow }
  | { readonly kind: 'HEARTBEAT'; readonly at: LogPlace; readonly serverTime: Date }
  | { readonly kind: 'SNAPSHOT'; readonly session: SessionRow; readonly resync: boolean }
  | { readonly kind: 'RESET'; readonly at: LogPlace };

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
   * Results in the order of the frames; what goes wrong is part of a result. What is executed on the same occasion
   * may share what it reads: an object that lives as long as that.
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

/** Where a subscriber goes on that cannot go on from where it was: what it is shown, and what it has seen by then. */
export interface Anew {
  readonly frame: Frame;
  readonly at: LogPlace;
  /** Of `at`, in the log that is followed. */
  readonly number: number;
}

/** One who follows a log. */
export interface Subscriber {
  readonly selection: Selection;
  readonly sink: Sink;
  readonly viewer: Viewer;
  /** The cursor that it resumes after, as the client gave it; null if it gave none. */
  readonly after: string | null;
  cursorOf(place: LogPlace): string;
  /** Which transitions it is shown. */
  wants(transition: LogRow): boolean;
  /** Whether it is told, while nothing happens, that nothing happens. */
  readonly heartbeats: boolean;
  /** Where it goes on after it fell too far behind; null: it reads on from the log, whatever that takes. */
  readonly startAnew: (() => Promise<Anew>) | null;
}
