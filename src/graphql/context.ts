import type { Database } from '../db/connection/client.ts';
import { isStaff, type Viewer } from '../domain/access.ts';
import type { ActionPolicy, ReviewStage } from '../domain/actions.ts';
import type { MeetingCalendar } from '../domain/calendar.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Clock } from '../domain/ports.ts';
import type { TemplateCatalogue } from '../domain/templates.ts';
import type { Sealer } from '../encryption/sealing.ts';
import type { CursorCodec, LogPosition } from '../feed/cursor.ts';
import type { FrameBudget } from '../feed/frame-budget.ts';
import type { Hub } from '../feed/hub.ts';
import type { FrameSelection, Sink } from '../feed/subscription.ts';
import type { EndpointSources } from '../services/outgoing/list-endpoints.ts';
import type { ReplayWebhooksResult } from '../services/outgoing/replay-webhooks.ts';
import type { AnnotationResult } from '../services/sessions/annotate.ts';
import type { ClaimResult } from '../services/sessions/claim-next.ts';
import type { labelSession } from '../services/sessions/label-session.ts';
import type { MeetingActionResult } from '../services/sessions/meetings.ts';
import type { NotificationResult } from '../services/sessions/notify-customer.ts';
import type {
  createSdkToken,
  refreshSession,
  requestRecording,
} from '../services/sessions/provider-actions.ts';
import type { ReviewActionResult } from '../services/sessions/record-review.ts';
import type { SessionFiguresService } from '../services/sessions/session-figures.ts';
import type { StartSession } from '../services/sessions/start-session.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import { EventLoopYielder } from './pace.ts';
import { PersonalDataShown } from './personal-data.ts';

/** Application services that the resolvers use; assembled in `composition/graphql.ts`. */
export interface Services {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly cursors: CursorCodec;
  readonly hub: Hub;
  readonly figures: SessionFiguresService;
  readonly policy: ActionPolicy;
  readonly clock: Clock;
  /** Calendar of meetings; null: meetings can be booked at any time. */
  readonly calendar: MeetingCalendar | null;
  readonly templates: TemplateCatalogue;
  readonly merchantWebhooks: EndpointSources;
  readonly startSession: StartSession;
  /** Called for every refusal that a mutation returns as data, to count it in the metrics. */
  readonly onRefusal: (code: ErrorCode) => void;
  scheduleMeeting(viewer: Viewer, input: unknown): Promise<MeetingActionResult>;
  cancelMeeting(viewer: Viewer, input: unknown): Promise<MeetingActionResult>;
  recordReview(viewer: Viewer, stage: ReviewStage, input: unknown): Promise<ReviewActionResult>;
  closeSession(viewer: Viewer, input: unknown): Promise<AnnotationResult>;
  addNote(viewer: Viewer, input: unknown): Promise<AnnotationResult>;
  escalateSession(viewer: Viewer, input: unknown): Promise<AnnotationResult>;
  resolveEscalation(viewer: Viewer, input: unknown): Promise<AnnotationResult>;
  resolveDispute(viewer: Viewer, input: unknown): Promise<AnnotationResult>;
  assignAgent(viewer: Viewer, input: unknown): Promise<AnnotationResult>;
  unassignAgent(viewer: Viewer, input: unknown): Promise<AnnotationResult>;
  claimNext(viewer: Viewer, input: unknown): Promise<ClaimResult | null>;
  notifyCustomer(viewer: Viewer, input: unknown): Promise<NotificationResult>;
  labelSession(viewer: Viewer, input: unknown): ReturnType<typeof labelSession>;
  replayWebhooks(viewer: Viewer, input: unknown): Promise<ReplayWebhooksResult>;
  refreshSession(viewer: Viewer, sessionId: string): ReturnType<typeof refreshSession>;
  requestRecording(viewer: Viewer, sessionId: string): ReturnType<typeof requestRecording>;
  createSdkToken(viewer: Viewer, sessionId: string): ReturnType<typeof createSdkToken>;
}

/** Context of every resolver: the viewer, the application services, and loaders that cache for one answer. */
export interface Context {
  readonly viewer: Viewer;
  /**
   * Whether the viewer is staff, not a customer. Resolvers that need only this flag do not read `viewer`,
   * because reading `viewer` makes a subscription execute each frame (result) once per viewer instead of once
   * for all staff.
   */
  readonly staff: boolean;
  readonly services: Services;
  /**
   * Encodes and decodes cursors. `cursors` is separate from `services`, because reading `services` marks a
   * frame of a subscription as not reusable (see `FrameContext`), whereas the cursor of a position never
   * changes.
   */
  readonly cursors: CursorCodec;
  readonly loaders: Loaders;
  /** Lets other requests use the event loop while a large answer is executed. */
  readonly pace: EventLoopYielder;
  /** True in subscriptions, whose frames (results) must not contain personal data. */
  readonly live: boolean;
  /**
   * Collects the personal data that the answer shows, for the read log (who read whose data). Null in
   * subscriptions, which never show personal data.
   */
  readonly shown: PersonalDataShown | null;
  /**
   * Returns the newest position in the feed (the log of all transitions). The database is asked once per
   * operation, so that all fields of the operation get the same position.
   */
  feedHead(): Promise<LogPosition>;
  /**
   * Aborted when the operation times out, which cancels the count queries of statistics. Null in
   * subscriptions.
   */
  readonly signal: AbortSignal | null;
  /** Aborts `signal`; called when the operation times out. */
  abandon(): void;
  /**
   * Destination of the frames (results) of a new subscription, its selection and its budget. Null in queries and
   * mutations, and while a frame is executed.
   */
  readonly connection: SubscriptionTarget | null;
}

export interface SubscriptionTarget {
  readonly sink: Sink;
  readonly selection: FrameSelection;
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
    pace: new EventLoopYielder(),
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
