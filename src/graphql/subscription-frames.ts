import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { createSourceEventStream, type ExecutionResult, execute } from 'graphql';
import { isStaff, type Viewer } from '../domain/access.ts';
import { SubscriptionEndIterator } from '../feed/ending-iterator.ts';
import { FrameJson } from '../feed/frame-json.ts';
import type { ExecutedFrame, FrameSelection, Sink, UnexecutedFrame } from '../feed/subscription.ts';
import { getLabels, tracedOperation } from '../telemetry/operations.ts';
import { type Context, createContext, type Services } from './context.ts';
import { type FormatError, formatResult, isInternalError } from './errors.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import type { CheckedOperation } from './operation-cache.ts';
import { EventLoopYielder } from './pace.ts';
import type { ViewerRateLimiter } from './rate-limit.ts';

/**
 * Maximum time for which a burst of frames (results of a subscription) is executed without a pause. Then
 * other requests of the process get a turn of the event loop.
 */
const MAX_TURN_MS = 5;
const MAX_EXECUTED_TOGETHER = 10;
/**
 * Maximum total cost of the frames that are executed concurrently. Such frames complete in one turn of the
 * event loop, and block it until then.
 */
const MAX_COST_TOGETHER = 1_000;
/**
 * Time for which a frame whose execution fails is retried, with exponential backoff. Then the connections
 * that wait for the frame are closed.
 */
const FRAME_RETRY_FOR_MS = 5_000;
const FRAME_FIRST_RETRY_MS = 100;

interface Dependencies {
  readonly services: Services;
  readonly formatError: FormatError;
  readonly rateLimit: ViewerRateLimiter;
  /**
   * Called each time that executing a frame fails because of a fault of the gateway, to count it in the
   * metrics.
   */
  readonly onFailedFrame: () => void;
}

/**
 * Starts a subscription that sends its frames (results) to `sink`. Returns a handle to end the subscription,
 * or errors if the subscription is refused.
 */
export async function startSubscription(
  operation: CheckedOperation,
  viewer: Viewer,
  sink: Sink,
  dependencies: Dependencies,
): Promise<SubscriptionEndIterator | ExecutionResult> {
  const live = {
    sink,
    selection: selectionOf(operation, isStaff(viewer), dependencies),
    budget: dependencies.rateLimit.framesOf(viewer, operation.cost),
  };
  const contextValue = createContext(dependencies.services, viewer, live);
  const begun = (await tracedOperation(getLabels(operation), async () =>
    createSourceEventStream({ ...operation, contextValue }),
  )) as SubscriptionEndIterator | ExecutionResult;
  const errors = 'errors' in begun ? (begun.errors ?? []) : [];
  const faults = errors.filter(isInternalError);
  if (faults.length === 0) return begun;
  for (const fault of faults) dependencies.formatError(fault);
  // Closes the connection after a fault of the gateway, so that the client reconnects. A client would take an
  // error result for the end of the subscription.
  sink.closeForRetry();
  return new SubscriptionEndIterator(() => {});
}

/**
 * DataLoaders by `occasion`, which stands for one delivery of frames to a group of subscribers. All
 * executions for that delivery share the cached rows, which are the same for all viewers.
 */
const loadersOf = new WeakMap<object, Loaders>();

/**
 * Context for the execution of one frame (one result of a subscription). The context notes what resolvers
 * read: reading `viewer` makes the result depend on the viewer; reading `services` or `loaders` makes the
 * result valid only for this moment (not `immutable`).
 */
class FrameContext implements Context {
  readonly staff: boolean;
  readonly live = true;
  readonly shown = null;
  readonly connection = null;
  readonly signal = null;
  readonly cursors: Context['cursors'];
  readonly pace = new EventLoopYielder();
  dependsOnViewer = false;
  immutable: boolean;
  readonly #services: Context['services'];
  readonly #loaders: Loaders;
  readonly #viewer: Viewer;

  constructor(given: Pick<Context, 'staff' | 'services' | 'loaders' | 'viewer'>, frame: UnexecutedFrame) {
    this.staff = given.staff;
    this.cursors = given.services.cursors;
    this.immutable = frame.kind === 'TRANSITION';
    this.#services = given.services;
    this.#loaders = given.loaders;
    this.#viewer = given.viewer;
  }

  /** Marks the result as valid only for this moment: it may contain rows that change later. */
  get services(): Context['services'] {
    this.immutable = false;
    return this.#services;
  }

  get loaders(): Loaders {
    this.immutable = false;
    return this.#loaders;
  }

  abandon(): void {}

  feedHead(): ReturnType<Context['feedHead']> {
    this.immutable = false;
    return this.#services.hub.newest().then(({ at }) => at);
  }

  /**
   * Marks the result as depending on the viewer. A result without this mark is sent to all viewers of the
   * subscriber group.
   */
  get viewer(): Viewer {
    this.dependsOnViewer = true;
    return this.#viewer;
  }
}

/**
 * Thrown if a fault of the gateway, which is already logged, made the execution of a frame fail. The frame
 * must not be sent.
 */
class FrameFault extends Error {
  override readonly name = 'FrameFault';
}

/**
 * Returns the `FrameSelection` of a subscription: a key that is equal for subscriptions that may share frames, and
 * the function that executes frames. Staff and customers never share frames, because they see different
 * fields.
 */
function selectionOf(
  operation: CheckedOperation,
  staff: boolean,
  { services, formatError, onFailedFrame }: Dependencies,
): FrameSelection {
  /**
   * Executes a frame (one result of a subscription), and retries for a while after a fault of the gateway. If
   * an error were sent instead of the frame, the client's cursor would move past a transition that the client
   * never received.
   * @throws FrameFault
   */
  const executeOne = async (
    frame: UnexecutedFrame,
    viewer: Viewer,
    occasion: object,
  ): Promise<ExecutedFrame> => {
    const giveUpAt = performance.now() + FRAME_RETRY_FOR_MS;
    for (let retryMs = FRAME_FIRST_RETRY_MS; ; retryMs *= 2) {
      const loaders = loadersFor(occasion);
      const contextValue = new FrameContext({ staff, services, loaders, viewer }, frame);
      const result = await execute({ ...operation, rootValue: frame, contextValue });
      const faults = (result.errors ?? []).filter(isInternalError);
      if (faults.length === 0) {
        const { dependsOnViewer, immutable } = contextValue;
        return {
          json: new FrameJson(JSON.stringify(formatResult(result, formatError))),
          dependsOnViewer,
          // A result with errors is not reused for later subscribers, because another execution may succeed.
          immutable: immutable && !result.errors,
        };
      }
      onFailedFrame();
      // Replaces the loaders before the retry, because a DataLoader caches failures.
      if (loadersOf.get(occasion) === loaders) loadersOf.delete(occasion);
      if (performance.now() + retryMs > giveUpAt) {
        for (const fault of faults) formatError(fault);
        throw new FrameFault('could not execute a subscription frame');
      }
      await pause(retryMs);
    }
  };
  const loadersFor = (occasion: object): Loaders => {
    const loaders = loadersOf.get(occasion) ?? createLoaders(services.db);
    loadersOf.set(occasion, loaders);
    return loaders;
  };
  const atOnce = Math.max(1, Math.min(MAX_EXECUTED_TOGETHER, Math.floor(MAX_COST_TOGETHER / operation.cost)));
  return {
    key: `${staff ? 'staff' : 'customers'} ${operation.selectionKey}`,
    async execute(frames, viewer, occasion) {
      const results: ExecutedFrame[] = [];
      let since = performance.now();
      for (let from = 0; from < frames.length; from += atOnce) {
        if (performance.now() - since > MAX_TURN_MS) {
          await nextTurn();
          since = performance.now();
        }
        const together = frames.slice(from, from + atOnce);
        results.push(...(await Promise.all(together.map((frame) => executeOne(frame, viewer, occasion)))));
      }
      return results;
    },
  };
}
