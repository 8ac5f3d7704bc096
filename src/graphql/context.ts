import type { Database } from '../db/connection/client.ts';
import { isStaff, type Viewer } from '../domain/access.ts';
import type { ActionPolicy, ReviewStage } from '../domain/actions.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Clock } from '../domain/ports.ts';
import type { TemplateCatalogue } from '../domain/templates.ts';
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
  readonly templates: TemplateCatalogue;
  readonly startSession: StartSession;
  /** Called for every refusal that a mutation returns as data, to count it in the metrics. */
  readonly onRefusal: (code: ErrorCode) => void;
  scheduleMeeting(viewer: Viewer, input: unknown): Promise<MeetingChanged>;
  cancelMeeting(viewer: Viewer, input: unknown): Promise<MeetingChanged>;
  recordReview(viewer: Viewer, stage: ReviewStage, input: unknown): Promise<ReviewRecorded>;
  refreshSession(viewer: Viewer, sessionId: string): ReturnType<typeof refreshSession>;
  requestRecording(viewer: Viewer, sessionId: string): ReturnType<typeof requestRecording>;
  createSdkToken(viewer: Viewer, sessionId: string): ReturnType<typeof createSdkToken>;
}

/** Context of every resolver: the viewer, the application services, and loaders that cache for one answer. */
export interface Context {
  readonly viewer: Viewer;
  /**
   * Whether the viewer is staff, not a customer. Resolvers that need no more than this do not read `viewer`,
   * so that all staff share the frames of a subscription.
   */
  readonly staff: boolean;
  readonly services: Services;
  /**
   * Encodes and decodes cursors. Separate from `services`, because reading `services` marks a frame as not
   * reusable (see `FrameContext`), and the cursor of a position never changes.
   */
  readonly cursors: Cursors;
  readonly loaders: Loaders;
  /** Yields the event loop to other requests while a large answer is executed. */
  readonly pace: Pace;
  /** True in subscriptions: their frames must not contain personal data. */
  readonly live: boolean;
  /**
   * Collects the personal data that the answer shows, for the read log; null in subscriptions, which show
   * none.
   */
  readonly shown: PersonalDataShown | null;
  /**
   * Returns the newest position in the feed. It is read once, so that all fields of the operation get the
   * same.
   */
  feedHead(): Promise<LogPosition>;
  /** Aborted when the operation has timed out, which cancels counts for statistics; null in subscriptions. */
  readonly signal: AbortSignal | null;
  /** Aborts `signal`, when the operation times out. */
  abandon(): void;
  /**
   * For a subscription that begins: where its frames are sent, and what it selects. Null in all other
   * operations.
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
