import { setImmediate as nextTurn } from 'node:timers/promises';
import { createSourceEventStream, type ExecutionResult, execute } from 'graphql';
import type { Viewer } from '../domain/access.ts';
import type { Lifetime } from '../feed/lifetime.ts';
import type { Executed, Frame, Selection, Sink } from '../feed/stream.ts';
import { type Context, createContext, type Services } from './context.ts';
import { formattedResult, type Translate } from './errors.ts';
import { createLoaders } from './loaders.ts';
import type { Operation } from './operation.ts';

/** A burst is executed in turns, so that others on this process have theirs. */
const LONGEST_TURN_MS = 5;
const EXECUTED_TOGETHER = 10;

interface Parts {
  readonly services: Services;
  readonly translate: Translate;
}

/** Begins a subscription whose frames go to the sink; it lasts as long as what is returned, or was refused. */
export function subscribeTo(
  operation: Operation,
  viewer: Viewer,
  sink: Sink,
  parts: Parts,
): Promise<Lifetime | ExecutionResult> {
  const live = { sink, selection: selectionOf(operation, parts) };
  const contextValue = createContext(parts.services, viewer, live);
  return createSourceEventStream({ ...operation, contextValue }) as Promise<Lifetime | ExecutionResult>;
}

/** What an operation shows of a frame. All that is executed together shares its loaders, made for the occasion. */
function selectionOf(operation: Operation, { services, translate }: Parts): Selection {
  const executeOne = async (frame: Frame, viewer: Viewer, loaders: ReturnType<typeof createLoaders>) => {
    let dependsOnViewer = false;
    const contextValue: Context = {
      services,
      loaders,
      live: true,
      connection: null,
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
    } satisfies Executed;
  };
  return {
    key: operation.selectionKey,
    async execute(frames, viewer) {
      const loaders = createLoaders(services.db);
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
