import type { Database } from '../db/client.ts';
import type { Sealer } from '../db/sealing.ts';
import { isStaff, type Viewer } from '../domain/access.ts';
import type { ActionPolicy, ReviewStage } from '../domain/actions.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Clock } from '../domain/ports.ts';
import type { Cursors, LogPlace } from '../feed/cursor.ts';
import type { FrameBudget } from '../feed/frame-budget.ts';
import type { Hub } from '../feed/hub.ts';
import type { Selection, Sink } from '../feed/stream.ts';
import type { createSdkToken, refreshSession, requestRecording } from '../services/ask-provider.ts';
import type { MeetingChanged } from '../services/meetings.ts';
import type { ReviewRecorded } from '../services/record-review.ts';
import type { SessionFigures } from '../services/session-figures.ts';
import type { StartSession } from '../services/start-session.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import { Pace } from './pace.ts';
import { PersonalDataShown } from './personal-data.ts';

/** What the resolvers use of the application; put together in `app.ts`. */
export interface Services {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly cursors: Cursors;
  readonly hub: Hub;
  readonly figures: SessionFigures;
  readonly policy: ActionPolicy;
  readonly clock: Clock;
  readonly startSession: StartSession;
  /** Hears of every refusal that a mutation answers with. */
  readonly onRefusal: (code: ErrorCode) => void;
  scheduleMeeting(viewer: Viewer, input: unknown): Promise<MeetingChanged>;
  cancelMeeting(viewer: Viewer, input: unknown): Promise<MeetingChanged>;
  recordReview(viewer: Viewer, stage: ReviewStage, input: unknown): Promise<ReviewRecorded>;
  refreshSession(viewer: Viewer, sessionId: string): ReturnType<typeof refreshSession>;
  requestRecording(viewer: Viewer, sessionId: string): ReturnType<typeof requestRecording>;
  createSdkToken(viewer: Viewer, sessionId: string): ReturnType<typeof createSdkToken>;
}

/** What every resolver gets: who asks, the application, and loaders that live as long as one answer. */
export interface Context {
  readonly viewer: Viewer;
  /** Whether the viewer is of the staff: what goes by that alone is the same for all of them. */
  readonly staff: boolean;
  readonly services: Services;
  /** Beside the services, since what they make of a place is the same at any time. */
  readonly cursors: Cursors;
  readonly loaders: Loaders;
  /** Lets other requests run while a large answer is executed. */
  readonly pace: Pace;
  /** True in subscriptions, whose frames must not carry personal data. */
  readonly live: boolean;
  /** What the answer shows of people; null in subscriptions, which show nothing. */
  readonly shown: PersonalDataShown | null;
  /** The newest place in the feed over all sessions, the same for the whole operation. */
  feedEnd(): Promise<LogPlace>;
  /** Aborted when nobody waits for the answer any more; null in subscriptions. */
  readonly signal: AbortSignal | null;
  /** Tells what runs for the answer that nobody waits for it. */
  abandon(): void;
  /** While a subscription begins: where its frames go, and what is shown of them. */
  readonly connection: LiveConnection | null;
}

export interface LiveConnection {
  readonly sink: Sink;
  readonly selection: Selection;
  readonly budget: FrameBudget;
}

export const createContext = (
  services: Services,
  viewer: Viewer,
  connection: LiveConnection | null = null,
): Context => {
  let feedEnd: Promise<LogPlace> | null = null;
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
    feedEnd() {
      feedEnd ??= services.hub.newest().then(({ at }) => at);
      return feedEnd;
    },
  };
};
