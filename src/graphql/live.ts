import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { createSourceEventStream, type ExecutionResult, execute } from 'graphql';
import { isStaff, type Viewer } from '../domain/access.ts';
import { FrameJson } from '../feed/frame-json.ts';
import { Lifetime } from '../feed/lifetime.ts';
import type { Executed, Frame, Selection, Sink } from '../feed/stream.ts';
import { labelsOf, tracedOperation } from '../telemetry/operations.ts';
import { type Context, createContext, type Services } from './context.ts';
import { formattedResult, isOurFault, type Translate } from './errors.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import type { Operation } from './operation.ts';
import { Pace } from './pace.ts';
import type { RateLimit } from './rate-limit.ts';

/** A burst is executed in turns, so that others on this process have theirs. */
const LONGEST_TURN_MS = 5;
const MAX_EXECUTED_TOGETHER = 10;
/** Highest cost of the frames that are executed together: they are completed in one turn of the event loop. */
const MAX_COST_TOGETHER = 1_000;
/** How long a frame that fails is executed again, at doubling intervals, before its connections are closed. */
const FRAME_RETRY_FOR_MS = 5_000;
const FRAME_FIRST_RETRY_MS = 100;

interface Parts {
  readonly services: Services;
  readonly translate: Translate;
  readonly rateLimit: RateLimit;
  /** Hears of each execution of a frame that failed for a fault of the gateway. */
  readonly onFailedFrame: () => void;
}

/** Begins a subscription whose frames go to the sink; it lasts as long as what is returned, or was refused. */
export async function subscribeTo(
  operation: Operation,
  viewer: Viewer,
  sink: Sink,
  parts: Parts,
): Promise<Lifetime | ExecutionResult> {
  const live = {
    sink,
    selection: selectionOf(operation, isStaff(viewer), parts),
    budget: parts.rateLimit.framesOf(viewer, operation.cost),
  };
  const contextValue = createContext(parts.services, viewer, live);
  const begun = (await tracedOperation(labelsOf(operation), async () =>
    createSourceEventStream({ ...operation, contextValue }),
  )) as Lifetime | ExecutionResult;
  const errors = 'errors' in begun ? (begun.errors ?? []) : [];
  const faults = errors.filter(isOurFault);
  if (faults.length === 0) return begun;
  for (const fault of faults) parts.translate(fault);
  // A fault of ours costs the connection: clients would take a refusal for the end, and not come back.
  sink.abandon();
  return new Lifetime(() => {});
}

/** What has been read on an occasion: of the moment, and the same for all viewers. */
const loadersOf = new WeakMap<object, Loaders>();

/** What an operation looks at while it shows a frame, which says for whom and for how long the result is good. */
class FrameContext implements Context {
  readonly staff: boolean;
  readonly live = true;
  readonly shown = null;
  readonly connection = null;
  readonly signal = null;
  readonly cursors: Context['cursors'];
  readonly pace = new Pace();
  dependsOnViewer = false;
  lasting: boolean;
  readonly #services: Context['services'];
  readonly #loaders: Loaders;
  readonly #viewer: Viewer;

  constructor(given: Pick<Context, 'staff' | 'services' | 'loaders' | 'viewer'>, frame: Frame) {
    this.staff = given.staff;
    this.cursors = given.services.cursors;
    this.lasting = frame.kind === 'TRANSITION';
    this.#services = given.services;
    this.#loaders = given.loaders;
    this.#viewer = given.viewer;
  }

  /** Whatever looks at anything but the frame shows how things are now. */
  get services(): Context['services'] {
    this.lasting = false;
    return this.#services;
  }

  get loaders(): Loaders {
    this.lasting = false;
    return this.#loaders;
  }

  abandon(): void {}

  feedEnd(): ReturnType<Context['feedEnd']> {
    this.lasting = false;
    return this.#services.hub.newest().then(({ at }) => at);
  }

  /** Whatever is found without looking at the viewer is the same for every viewer. */
  get viewer(): Viewer {
    this.dependsOnViewer = true;
    return this.#viewer;
  }
}

/** A frame that could not be executed for a fault of the gateway. It was logged; the frame must not be sent. */
class FrameFault extends Error {
  override readonly name = 'FrameFault';
}

/** What an operation shows of a frame: to the staff, or to customers, who share nothing with them. */
function selectionOf(
  operation: Operation,
  staff: boolean,
  { services, translate, onFailedFrame }: Parts,
): Selection {
  /**
   * Executes a frame, again and again for a while if it fails for a fault of the gateway. A frame with such an error would
   * move its client's cursor past a transition that the client was not shown.
   * @throws FrameFault
   */
  const executeOne = async (frame: Frame, viewer: Viewer, occasion: object): Promise<Executed> => {
    const giveUpAt = performance.now() + FRAME_RETRY_FOR_MS;
    for (let retryMs = FRAME_FIRST_RETRY_MS; ; retryMs *= 2) {
      const loaders = loadersFor(occasion);
      const contextValue = new FrameContext({ staff, services, loaders, viewer }, frame);
      const result = await execute({ ...operation, rootValue: frame, contextValue });
      const faults = (result.errors ?? []).filter(isOurFault);
      if (faults.length === 0) {
        const { dependsOnViewer, lasting } = contextValue;
        return {
          json: new FrameJson(JSON.stringify(formattedResult(result, translate))),
          dependsOnViewer,
          // A refusal may be gone the next time.
          lasting: lasting && !result.errors,
        };
      }
      onFailedFrame();
      // A loader remembers its failures.
      if (loadersOf.get(occasion) === loaders) loadersOf.delete(occasion);
      if (performance.now() + retryMs > giveUpAt) {
        for (const fault of faults) translate(fault);
        throw new FrameFault('A frame of a subscription could not be executed');
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
        if (performance.now() - since > LONGEST_TURN_MS) {
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
