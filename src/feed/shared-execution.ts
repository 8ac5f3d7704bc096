import { LRUCache } from 'lru-cache';
import type { Viewer } from '../domain/access.ts';
import { getFingerprint } from './fingerprint.ts';
import type { FrameJson } from './frame-json.ts';
import type { Entry } from './log-tail.ts';
import type { Executed, Frame, Selection } from './subscription.ts';

/** Frame to execute. Requests with the same key are for the same frame. */
export interface FrameRequest {
  readonly key: string;
  readonly frame: Frame;
}

/**
 * Maximum number of characters in the cache of immutable results, from which clients that reconnect soon are
 * served.
 */
const MAX_CACHED_LENGTH = 16 * 1024 * 1024;

/**
 * LRU cache of immutable frame results, shared by all selections and logs so that they have one common limit.
 */
export type FrameResultCache = LRUCache<string, FrameJson>;

export const createFrameResultCache = (): FrameResultCache =>
  new LRUCache({ maxSize: MAX_CACHED_LENGTH, sizeCalculation: (json, name) => json.length + name.length });

/** Returns the cache key of an entry's frame. It contains the fingerprint, because a failover can assign a number twice. */
export const frameKey = (entry: Entry): string => `${entry.number} ${getFingerprint(entry)}`;

/** Result of a frame. Gives its JSON only to viewers for whom it was executed. */
export class FrameResult {
  readonly #json: FrameJson;
  /** Viewer that the frame was executed for; null if the result is the same for all viewers. */
  readonly #viewerKey: string | null;
  readonly length: number;

  constructor({ json, dependsOnViewer }: Pick<Executed, 'json' | 'dependsOnViewer'>, viewerKey: string) {
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
 * Stands for a viewer's key in executions and cached results that are for all viewers. Empty, as no viewer's
 * own key is.
 */
const FOR_ALL = '';

let executions = 0;

/**
 * Executes a selection once for all subscribers that request the same frame at the same time (fan-out). Caches only
 * immutable results, so that no subscriber gets data that is older than its request. A viewer may join an execution that
 * runs for another viewer, but gets its result only if the result is the same for all viewers.
 */
export class SharedExecution {
  /** Whether some result depended on the viewer. From then on no viewer joins the execution of another viewer. */
  dependsOnViewer = false;
  readonly #selection: Selection;
  readonly #running = new Map<string, Promise<FrameResult>>();
  readonly #cache: FrameResultCache;
  /** Prefix of this selection's keys in the shared cache. */
  readonly #name: string;

  constructor(selection: Selection, immutable = createFrameResultCache()) {
    this.#selection = selection;
    this.#cache = immutable;
    executions += 1;
    this.#name = String(executions);
  }

  /**
   * Returns results that are valid for the viewer, in the order of `requests`. `viewerKey` is the viewer's
   * identity. Calls with the same `occasion` share DataLoaders.
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

  /** Returns the cached results of all requests; null if one of them is not cached. */
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
   * Executes a frame that only one subscriber gets, such as a snapshot. Shares no execution, and caches
   * nothing.
   */
  async executeUncached(frame: Frame, viewer: Viewer): Promise<FrameJson> {
    const [result] = await this.#selection.execute([frame], viewer, {});
    return (result as Executed).json;
  }

  /** `joinedBy` is the key of the one viewer that may join the execution, or `FOR_ALL`. */
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
          .then((results) => this.#addToCache(each, results[index] as Executed, viewerKey));
        this.#running.set(executionKey(each, joinedBy), result);
      }
    }
    return Promise.all(
      requests.map((each) => this.#running.get(executionKey(each, joinedBy)) as Promise<FrameResult>),
    );
  }

  /** Caches the result if it is immutable: under its viewer's key, or for all viewers. */
  #addToCache(each: FrameRequest, executed: Executed, viewerKey: string): FrameResult {
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
