import { LRUCache } from 'lru-cache';
import type { Viewer } from '../domain/access.ts';
import { getTransitionFingerprint } from './fingerprint.ts';
import type { FrameJson } from './frame-json.ts';
import type { LogTailEntry } from './log-tail.ts';
import type { ExecutedFrame, FrameSelection, UnexecutedFrame } from './subscription.ts';

/** Frame to execute, with a key that identifies it: requests with the same key share one execution. */
export interface FrameRequest {
  readonly key: string;
  readonly frame: UnexecutedFrame;
}

/**
 * Maximum number of characters in the cache of immutable results, which serves clients that reconnect soon.
 */
const MAX_CACHED_LENGTH = 16 * 1024 * 1024;

/**
 * LRU cache of immutable frame results. One cache serves all followed logs and all distinct selections of fields,
 * so that its size limit holds for all of them together.
 */
export type FrameResultCache = LRUCache<string, FrameJson>;

export const createFrameResultCache = (): FrameResultCache =>
  new LRUCache({ maxSize: MAX_CACHED_LENGTH, sizeCalculation: (json, name) => json.length + name.length });

/**
 * Returns the key of an entry's frame. The key contains the fingerprint, because after a failover two
 * different entries can have the same number.
 */
export const getFrameKey = (entry: LogTailEntry): string =>
  `${entry.number} ${getTransitionFingerprint(entry)}`;

/**
 * Result of an executed frame. If the result depends on the viewer, only the viewer for whom the frame was
 * executed gets the JSON, since it may contain data that other viewers may not see.
 */
export class FrameResult {
  readonly #json: FrameJson;
  /** Key of the viewer for whom the frame was executed; null if the result is the same for all viewers. */
  readonly #viewerKey: string | null;
  readonly length: number;

  constructor({ json, dependsOnViewer }: Pick<ExecutedFrame, 'json' | 'dependsOnViewer'>, viewerKey: string) {
    this.#json = json;
    this.#viewerKey = dependsOnViewer ? viewerKey : null;
    this.length = json.length;
  }

  /** Whether the result is the same for all viewers. */
  get isShared(): boolean {
    return this.#viewerKey === null;
  }

  /** Returns the JSON; undefined if the frame was executed for another viewer and depends on the viewer. */
  jsonFor(viewerKey: string): FrameJson | undefined {
    return this.#viewerKey === null || this.#viewerKey === viewerKey ? this.#json : undefined;
  }
}

/**
 * Key that is used instead of a viewer's key for results that all viewers share. The empty string is never
 * the key of a viewer.
 */
const FOR_ALL = '';

let executions = 0;

/**
 * Executes a selection once for all subscribers that request the same frame at the same time (fan-out).
 * Caches only immutable results, so that no subscriber gets outdated data. A viewer may join another viewer's
 * running execution, but is given its result only if that does not depend on the viewer.
 */
export class SharedFrameExecutor {
  /**
   * Whether any result of this selection depended on the viewer. Once true, executions are no longer shared
   * between viewers.
   */
  dependsOnViewer = false;
  readonly #selection: FrameSelection;
  readonly #running = new Map<string, Promise<FrameResult>>();
  readonly #cache: FrameResultCache;
  /** Prefix that makes this selection's keys unique in the cache, because all selections share one cache. */
  readonly #name: string;

  constructor(selection: FrameSelection, immutable = createFrameResultCache()) {
    this.#selection = selection;
    this.#cache = immutable;
    executions += 1;
    this.#name = String(executions);
  }

  /**
   * Returns results for one viewer, in the order of `requests`. `viewerKey` identifies the viewer. Calls with
   * the same `occasion` object share DataLoaders.
   */
  async execute(
    requests: readonly FrameRequest[],
    viewer: Viewer,
    viewerKey: string,
    occasion: object = {},
  ): Promise<FrameResult[]> {
    const kept = this.#findCached(requests, viewerKey);
    if (kept) return kept;
    if (!this.dependsOnViewer) {
      const shared = await this.#executeShared(requests, viewer, viewerKey, FOR_ALL, occasion);
      if (shared.every((result) => result.jsonFor(viewerKey) !== undefined)) return shared;
    }
    return this.#executeShared(requests, viewer, viewerKey, viewerKey, occasion);
  }

  /** Returns the results of all requests from the cache; null if the cache lacks any of them. */
  #findCached(requests: readonly FrameRequest[], viewerKey: string): FrameResult[] | null {
    const kept: FrameResult[] = [];
    for (const each of requests) {
      const shared = this.#cache.get(this.#cacheKey(each, FOR_ALL));
      const json = shared ?? this.#cache.get(this.#cacheKey(each, viewerKey));
      if (json === undefined) return null;
      kept.push(new FrameResult({ json, dependsOnViewer: shared === undefined }, viewerKey));
    }
    return kept;
  }

  /**
   * Executes a frame that is meant for one subscriber only, such as a snapshot. Neither shares the execution
   * nor caches the result.
   */
  async executeUncached(frame: UnexecutedFrame, viewer: Viewer): Promise<FrameJson> {
    const [result] = await this.#selection.execute([frame], viewer, {});
    return (result as ExecutedFrame).json;
  }

  /**
   * Joins running executions of the requested frames, and starts the missing ones. `joinedBy` limits who may
   * join: the key of one viewer, or `FOR_ALL`.
   */
  #executeShared(
    requests: readonly FrameRequest[],
    viewer: Viewer,
    viewerKey: string,
    joinedBy: string,
    occasion: object,
  ): Promise<FrameResult[]> {
    const missing = requests.filter((each) => !this.#running.has(executionKey(each, joinedBy)));
    if (missing.length > 0) {
      const executing = this.#selection.execute(
        missing.map(({ frame }) => frame),
        viewer,
        occasion,
      );
      for (const [index, each] of missing.entries()) {
        const result = executing
          .finally(() => this.#running.delete(executionKey(each, joinedBy)))
          .then((results) => this.#addToCache(each, results[index] as ExecutedFrame, viewerKey));
        this.#running.set(executionKey(each, joinedBy), result);
      }
    }
    return Promise.all(
      requests.map((each) => this.#running.get(executionKey(each, joinedBy)) as Promise<FrameResult>),
    );
  }

  /**
   * Caches the result if it is immutable: under the viewer's key, or for all viewers if the result does not
   * depend on the viewer.
   */
  #addToCache(each: FrameRequest, executed: ExecutedFrame, viewerKey: string): FrameResult {
    const result = new FrameResult(executed, viewerKey);
    if (!result.isShared) this.dependsOnViewer = true;
    if (executed.immutable)
      this.#cache.set(this.#cacheKey(each, result.isShared ? FOR_ALL : viewerKey), executed.json);
    return result;
  }

  #cacheKey(each: FrameRequest, whose: string): string {
    return `${this.#name} ${executionKey(each, whose)}`;
  }
}

const executionKey = ({ key }: FrameRequest, whose: string): string => `${key} ${whose}`;
