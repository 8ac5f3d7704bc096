import type { Database } from '../db/connection/client.ts';
import { isStaff, type Viewer } from '../domain/access.ts';
import type { ActionPolicy, ReviewStage } from '../domain/actions.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Clock } from '../domain/ports.ts';
import type { Sealer } from '../encryption/sealing.ts';
import type { Cursors, LogPosition } from '../feed/cursor.ts';
import type { FrameBudget } from '../feed/frame-budget.ts';
import type { Hub } from '../feed/hub.ts';
import type { Selection, Sink } from '../feed/subscription.ts';
import type { MeetingChanged } from '../services/sessions/meetings.ts';
import type {
  createSdkToken,
  refreshSession,
  requestRecording,
} from '../services/sessions/provider-actions.ts';
import type { ReviewRecorded } from '../services/sessions/record-review.ts';
import type { SessionFigures } from '../services/sessions/session-figures.ts';
import type { StartSession } from '../services/sessions/start-session.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import { Pace } from './pace.ts';
import { PersonalDataShown } from './personal-data.ts';

/** Application services that the resolvers use; assembled in `composition/graphql.ts`. */
export interface Services {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly cursors: Cursors;
  readonly hub: Hub;
  readonly figures: SessionFigures;
  readonly policy: ActionPolicy;
  readonly clock: Clock;
  readonly startSession: StartSession;
  /** Called for every refusal that a mutation returns. */
  readonly onRefusal: (code: ErrorCode) => void;
  scheduleMeeting(viewer: Viewer, input: unknown): Promise<MeetingChanged>;
  cancelMeeting(viewer: Viewer, input: unknown): Promise<MeetingChanged>;
  recordReview(viewer: Viewer, stage: ReviewStage, input: unknown): Promise<ReviewRecorded>;
  refreshSession(viewer: Viewer, sessionId: string): ReturnType<typeof refreshSession>;
  requestRecording(viewer: Viewer, sessionId: string): ReturnType<typeof requestRecording>;
  createSdkToken(viewer: Viewer, sessionId: string): ReturnType<typeof createSdkToken>;
}

/**
 * Context of every resolver: the viewer, the application services, and loaders that live as long as one
 * answer.
 */
export interface Context {
  readonly viewer: Viewer;
  /**
   * Whether the viewer is staff. A field that depends only on this is the same for all staff, so that their
   * subscriptions can share frames.
   */
  readonly staff: boolean;
  readonly services: Services;
  /**
   * Separate from `services` because the cursor of a place never changes: a frame for which only cursors are
   * read can be reused (see `FrameContext`).
   */
  readonly cursors: Cursors;
  readonly loaders: Loaders;
  /** Yields the event loop to other requests while a large answer is executed. */
  readonly pace: Pace;
  /** True in subscriptions, whose frames must not contain personal data. */
  readonly live: boolean;
  /** Personal data that the answer shows; null in subscriptions, which show none. */
  readonly shown: PersonalDataShown | null;
  /** Returns the newest place in the feed of all sessions, the same for the whole operation. */
  feedHead(): Promise<LogPosition>;
  /**
   * Aborted when the operation has timed out, so that its answer is no longer needed; null in subscriptions.
   */
  readonly signal: AbortSignal | null;
  /** Aborts `signal`. */
  abandon(): void;
  /**
   * Connection of a subscription, set while it begins: the sink of its frames, and what it selects of them.
   */
  readonly connection: SubscriptionTarget | null;
}

export interface SubscriptionTarget {
  readonly sink: Sink;
  readonly selection: Selection;
  readonly budget: FrameBudget;
}

export const createContext = (
  services: Services,
  viewer: Viewer,
  connection: SubscriptionTarget | null = null,
): Context => {
  let feedEnd: Promise<LogPosition> | null = null;
  const abandoned = connection ? null : new AbortController();
  return {
    viewer,
    staff: isStaff(viewer),
    services,
    cursors: services.cursors,
    loaders: createLoaders(services.db),
    pace: new Pace(),
    live: connection !== null,
    shown: connection ? null : new PersonalDataShown(),
    connection,
    signal: abandoned?.signal ?? null,
    abandon: () => abandoned?.abort(),
    feedHead() {
      feedEnd ??= services.hub.newest().then(({ at }) => at);
      return feedEnd;
    },
  };
};
