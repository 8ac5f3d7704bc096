import { LRUCache } from 'lru-cache';
import type { Viewer } from '../domain/access.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { FrameJson } from './frame-json.ts';
import type { Executed, Frame, Selection } from './stream.ts';
import type { Entry } from './tail.ts';

/** A frame to execute; the same key means the same frame. */
export interface Shown {
  readonly key: string;
  readonly frame: Frame;
}

/** Of all results that never change, so many characters are kept: what those missed who were away for a while. */
const MOST_KEPT_LENGTH = 16 * 1024 * 1024;

/** Results that never change, of all selections and logs together: there are as many as there are sessions followed. */
export type LastingResults = LRUCache<string, FrameJson>;

export const createLastingResults = (): LastingResults =>
  new LRUCache({ maxSize: MOST_KEPT_LENGTH, sizeCalculation: (json, name) => json.length + name.length });

/** The key of an entry's frame. Numbers are assigned again after a failover, so that a number alone would not do. */
export const keyOfEntry = (entry: Entry): string => `${entry.number} ${fingerprintOf(entry)}`;

let executions = 0;

/**
 * Executes a selection once for all who ask for the same frame at the same time. Beyond that only results are kept that
 * are the same whenever they are made: nobody is shown anything older than their asking.
 */
export class SharedExecution {
  /** Whether some result was found to depend on who is looking: from then on each viewer gets their own. */
  dependsOnViewer = false;
  readonly #selection: Selection;
  readonly #underWay = new Map<string, Promise<Executed>>();
  readonly #lasting: LastingResults;
  /** Its own among those that share what is kept. */
  readonly #name: string;

  constructor(selection: Selection, lasting = createLastingResults()) {
    this.#selection = selection;
    this.#lasting = lasting;
    executions += 1;
    this.#name = String(executions);
  }

  /** Results as JSON, in the order of the frames. `viewerKey` is the viewer's identity. */
  async of(
    shown: readonly Shown[],
    viewer: Viewer,
    viewerKey: string,
    occasion: object = {},
  ): Promise<FrameJson[]> {
    const kept = this.#keptOf(shown, this.dependsOnViewer ? viewerKey : '');
    if (kept) return kept;
    if (!this.dependsOnViewer) {
      const shared = await this.#execute(shown, viewer, '', occasion);
      this.dependsOnViewer ||= shared.some((result) => result.dependsOnViewer);
      if (!this.dependsOnViewer) return shared.map(({ json }) => json);
    }
    const own = await this.#execute(shown, viewer, viewerKey, occasion);
    return own.map(({ json }) => json);
  }

  /** Null where not all of them are kept. */
  #keptOf(shown: readonly Shown[], whose: string): FrameJson[] | null {
    const kept: FrameJson[] = [];
    for (const each of shown) {
      const json = this.#lasting.get(`${this.#name} ${nameOf(each, whose)}`);
      if (json === undefined) return null;
      kept.push(json);
    }
    return kept;
  }

  /** The same for one frame that is of its own moment, and shared with nobody. */
  async alone(frame: Frame, viewer: Viewer): Promise<FrameJson> {
    const [result] = await this.#selection.execute([frame], viewer, {});
    return (result as Executed).json;
  }

  #execute(shown: readonly Shown[], viewer: Viewer, whose: string, occasion: object): Promise<Executed[]> {
    const missing = shown.filter((each) => !this.#underWay.has(nameOf(each, whose)));
    if (missing.length > 0) {
      const executing = this.#selection.execute(
        missing.map(({ frame }) => frame),
        viewer,
        occasion,
      );
      for (const [index, each] of missing.entries()) {
        const result = executing
          .finally(() => this.#underWay.delete(nameOf(each, whose)))
          .then((results) => this.#keep(nameOf(each, whose), results[index] as Executed));
        this.#underWay.set(nameOf(each, whose), result);
      }
    }
    return Promise.all(shown.map((each) => this.#underWay.get(nameOf(each, whose)) as Promise<Executed>));
  }

  #keep(name: string, result: Executed): Executed {
    if (result.lasting) this.#lasting.set(`${this.#name} ${name}`, result.json);
    return result;
  }
}

const nameOf = ({ key }: Shown, whose: string): string => `${key} ${whose}`;
