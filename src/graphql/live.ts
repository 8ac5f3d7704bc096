import { setImmediate as nextTurn } from 'node:timers/promises';
import { createSourceEventStream, type ExecutionResult, execute } from 'graphql';
import { isStaff, type Viewer } from '../domain/access.ts';
import { Lifetime } from '../feed/lifetime.ts';
import type { Executed, Frame, Selection, Sink } from '../feed/stream.ts';
import { labelsOf, tracedOperation } from '../telemetry/operations.ts';
import { type Context, createContext, type Services } from './context.ts';
import { formattedResult, isOurFault, type Translate } from './errors.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import type { Operation } from './operation.ts';

/** A burst is executed in turns, so that others on this process have theirs. */
const LONGEST_TURN_MS = 5;
const EXECUTED_TOGETHER = 10;

interface Parts {
  readonly services: Services;
  readonly translate: Translate;
}

/** Begins a subscription whose frames go to the sink; it lasts as long as what is returned, or was refused. */
export async function subscribeTo(
  operation: Operation,
  viewer: Viewer,
  sink: Sink,
  parts: Parts,
): Promise<Lifetime | ExecutionResult> {
  const live = { sink, selection: selectionOf(operation, isStaff(viewer), parts) };
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

/** What an operation shows of a frame: to the staff, or to customers, who share nothing with them. */
function selectionOf(operation: Operation, staff: boolean, { services, translate }: Parts): Selection {
  const executeOne = async (frame: Frame, viewer: Viewer, loaders: Loaders) => {
    let dependsOnViewer = false;
    let lasting = frame.kind === 'TRANSITION';
    const contextValue: Context = {
      staff,
      // Whatever looks at anything but the frame shows how things are now.
      get services() {
        lasting = false;
        return services;
      },
      get loaders() {
        lasting = false;
        return loaders;
      },
      cursors: services.cursors,
      live: true,
      shown: null,
      connection: null,
      feedEnd() {
        lasting = false;
        return services.hub.newest().then(({ at }) => at);
      },
      // Whatever is found without looking at the viewer is the same for every viewer.
      get viewer() {
        dependsOnViewer = true;
        return viewer;
      },
    };
    const result = await execute({ ...operation, rootValue: frame, contextValue });
    return {
      json: JSON.stringify(formattedResult(result, translate)),
      dependsOnViewer,
      // A fault may be gone the next time.
      lasting: lasting && !result.errors,
    } satisfies Executed;
  };
  return {
    key: `${staff ? 'staff' : 'customers'} ${operation.selectionKey}`,
    async execute(frames, viewer, occasion) {
      const loaders = loadersOf.get(occasion) ?? createLoaders(services.db);
      loadersOf.set(occasion, loaders);
      const results: Executed[] = [];
      let since = performance.now();
      for (let from = 0; from < frames.length; from += EXECUTED_TOGETHER) {
        if (performance.now() - since > LONGEST_TURN_MS) {
          await nextTurn();
          since = performance.now();
        }
        const together = frames.slice(from, from + EXECUTED_TOGETHER);
        results.push(...(await Promise.all(together.map((frame) => executeOne(frame, viewer, loaders)))));
      }
      return results;
    },
  };
}
