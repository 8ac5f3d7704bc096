import type { Viewer } from '../domain/access.ts';
import type { Executed, Frame, Selection } from './stream.ts';

/** A frame to execute; the same key means the same frame. */
export interface Shown {
  readonly key: string;
  readonly frame: Frame;
}

/**
 * Executes a selection once for all who ask for the same frame at the same time. Results are not kept beyond that:
 * nobody is shown anything older than their asking.
 */
export class SharedExecution {
  /** Whether some result was found to depend on who is looking: from then on each viewer gets their own. */
  dependsOnViewer = false;
  readonly #selection: Selection;
  readonly #underWay = new Map<string, Promise<Executed>>();

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  /** Results as JSON, in the order of the frames. `viewerKey` is the viewer's identity. */
  async of(
    shown: readonly Shown[],
    viewer: Viewer,
    viewerKey: string,
    occasion: object = {},
  ): Promise<string[]> {
    if (!this.dependsOnViewer) {
      const shared = await this.#execute(shown, viewer, '', occasion);
      this.dependsOnViewer ||= shared.some((result) => result.dependsOnViewer);
      if (!this.dependsOnViewer) return shared.map(({ json }) => json);
    }
    const own = await this.#execute(shown, viewer, viewerKey, occasion);
    return own.map(({ json }) => json);
  }

  /** The same for one frame that is of its own moment, and shared with nobody. */
  async alone(frame: Frame, viewer: Viewer): Promise<string> {
    const [result] = await this.#selection.execute([frame], viewer, {});
    return (result as Executed).json;
  }

  #execute(shown: readonly Shown[], viewer: Viewer, whose: string, occasion: object): Promise<Executed[]> {
    const nameOf = ({ key }: Shown) => `${key} ${whose}`;
    const missing = shown.filter((each) => !this.#underWay.has(nameOf(each)));
    if (missing.length > 0) {
      const executing = this.#selection.execute(
        missing.map(({ frame }) => frame),
        viewer,
        occasion,
      );
      for (const [index, each] of missing.entries()) {
        const result = executing
          .finally(() => this.#underWay.delete(nameOf(each)))
          .then((results) => results[index] as Executed);
        this.#underWay.set(nameOf(each), result);
      }
    }
    return Promise.all(shown.map((each) => this.#underWay.get(nameOf(each)) as Promise<Executed>));
  }
}
