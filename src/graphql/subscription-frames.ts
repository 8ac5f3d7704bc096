import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { createSourceEventStream, type ExecutionResult, execute } from 'graphql';
import { isStaff, type Viewer } from '../domain/access.ts';
import { FrameJson } from '../feed/frame-json.ts';
import type { Executed, Frame, Selection, Sink } from '../feed/subscription.ts';
import { SubscriptionHandle } from '../feed/subscription-handle.ts';
import { getLabels, tracedOperation } from '../telemetry/operations.ts';
import { type Context, createContext, type Services } from './context.ts';
import { type FormatError, formattedResult, isInternalError } from './errors.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import type { Operation } from './operation-cache.ts';
import { Pace } from './pace.ts';
import type { RateLimit } from './rate-limit.ts';

/**
 * While a burst of frames is executed, other requests of the process get a turn of the event loop after this
 * time.
 */
const MAX_TURN_MS = 5;
const MAX_EXECUTED_TOGETHER = 10;
/**
 * Maximum total cost of frames that are executed concurrently. They complete in one turn of the event loop,
 * and block it until then.
 */
const MAX_COST_TOGETHER = 1_000;
/**
 * A frame whose execution fails is retried for this long, with exponential backoff. Then the connections that
 * wait for it are closed.
 */
const FRAME_RETRY_FOR_MS = 5_000;
const FRAME_FIRST_RETRY_MS = 100;

interface Dependencies {
  readonly services: Services;
  readonly formatError: FormatError;
  readonly rateLimit: RateLimit;
  /**
   * Called each time that executing a frame fails because of a fault of the gateway, to count it in the
   * metrics.
   */
  readonly onFailedFrame: () => void;
}

/**
 * Starts a subscription that sends its frames to `sink`. Returns the handle that ends it, or errors if the
 * subscription is refused.
 */
export async function startSubscription(
  operation: Operation,
  viewer: Viewer,
  sink: Sink,
  dependencies: Dependencies,
): Promise<SubscriptionHandle | ExecutionResult> {
  const live = {
    sink,
    selection: selectionOf(operation, isStaff(viewer), dependencies),
    budget: dependencies.rateLimit.framesOf(viewer, operation.cost),
  };
  const contextValue = createContext(dependencies.services, viewer, live);
  const begun = (await tracedOperation(getLabels(operation), async () =>
    createSourceEventStream({ ...operation, contextValue }),
  )) as SubscriptionHandle | ExecutionResult;
  const errors = 'errors' in begun ? (begun.errors ?? []) : [];
  const faults = errors.filter(isInternalError);
  if (faults.length === 0) return begun;
  for (const fault of faults) dependencies.formatError(fault);
  // A fault of the gateway closes the connection, so that the client reconnects. It would take an error
  // result for the end of the subscription.
  sink.closeForRetry();
  return new SubscriptionHandle(() => {});
}

/**
 * DataLoaders by occasion (one delivery of frames to an audience), shared by all executions of it. The rows
 * that they cache are those of that moment, the same for all viewers.
 */
const loadersOf = new WeakMap<object, Loaders>();

/**
 * Context for the execution of one frame. It notes what resolvers read: `viewer` makes the result depend on
 * the viewer, and anything but the frame itself makes it valid only for now (not `immutable`).
 */
class FrameContext implements Context {
  readonly staff: boolean;
  readonly live = true;
  readonly shown = null;
  readonly connection = null;
  readonly signal = null;
  readonly cursors: Context['cursors'];
  readonly pace = new Pace();
  dependsOnViewer = false;
  immutable: boolean;
  readonly #services: Context['services'];
  readonly #loaders: Loaders;
  readonly #viewer: Viewer;

  constructor(given: Pick<Context, 'staff' | 'services' | 'loaders' | 'viewer'>, frame: Frame) {
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
   * audience.
   */
  get viewer(): Viewer {
    this.dependsOnViewer = true;
    return this.#viewer;
  }
}

/**
 * Thrown if a frame could not be executed because of a fault of the gateway, which has been logged. The frame
 * must not be sent.
 */
class FrameFault extends Error {
  override readonly name = 'FrameFault';
}

/**
 * Returns the `Selection` of a subscription: a key, which is equal for subscriptions that may share frames,
 * and the function that executes frames. Staff and customers never share frames.
 */
function selectionOf(
  operation: Operation,
  staff: boolean,
  { services, formatError, onFailedFrame }: Dependencies,
): Selection {
  /**
   * Executes a frame, and retries for a while after a fault of the gateway. If the error were sent in the
   * frame's place, the client's cursor would move past a transition that the client was not shown.
   * @throws FrameFault
   */
  const executeOne = async (frame: Frame, viewer: Viewer, occasion: object): Promise<Executed> => {
    const giveUpAt = performance.now() + FRAME_RETRY_FOR_MS;
    for (let retryMs = FRAME_FIRST_RETRY_MS; ; retryMs *= 2) {
      const loaders = loadersFor(occasion);
      const contextValue = new FrameContext({ staff, services, loaders, viewer }, frame);
      const result = await execute({ ...operation, rootValue: frame, contextValue });
      const faults = (result.errors ?? []).filter(isInternalError);
      if (faults.length === 0) {
        const { dependsOnViewer, immutable } = contextValue;
        return {
          json: new FrameJson(JSON.stringify(formattedResult(result, formatError))),
          dependsOnViewer,
          // A result with errors is executed again for later subscribers, because it may succeed then.
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
      const results: Executed[] = [];
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
