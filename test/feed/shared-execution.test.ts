/** Tests that a frame that depends on the viewer reaches only the viewer for whom it was executed. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameJson } from '../../src/feed/frame-json.ts';
import { type FrameRequest, SharedFrameExecutor } from '../../src/feed/shared-execution.ts';
import type { FrameSelection, UnexecutedFrame } from '../../src/feed/subscription.ts';
import { viewer } from './followers.ts';

interface Nature {
  readonly dependsOnViewer: boolean;
  readonly immutable: boolean;
}

const shownAs = (number: number): FrameRequest => ({
  key: String(number),
  frame: {
    kind: 'HEARTBEAT',
    at: { sequence: number },
    serverTime: new Date(0),
  } as unknown as UnexecutedFrame,
});
const numberIn = (frame: UnexecutedFrame) => (frame as unknown as { at: { sequence: number } }).at.sequence;
const keyOf = (id: string) => `["${id}"]`;

/** Waits for `count` steps of the microtask queue. */
async function microtasks(count: number): Promise<void> {
  for (let step = 0; step < count; step += 1) await null;
}

/** Creates a selection whose frame `n` has the flags `natures[n]`; executions take `delays` microtasks. */
function selectionWith(natures: readonly Nature[], delays: readonly number[]): FrameSelection {
  let executions = 0;
  return {
    key: 'frames',
    async execute(frames, { id }) {
      executions += 1;
      await microtasks(delays[executions % delays.length] ?? 0);
      return frames.map((frame) => {
        const number = numberIn(frame);
        const nature = natures[number] as Nature;
        return {
          json: new FrameJson(nature.dependsOnViewer ? `${number} of ${id}` : `${number}`),
          ...nature,
        };
      });
    },
  };
}

async function textsFor(execution: SharedFrameExecutor, id: string, numbers: readonly number[]) {
  const results = await execution.execute(numbers.map(shownAs), viewer(id), keyOf(id));
  return results.map((result) => result.jsonFor(keyOf(id))?.after(() => null));
}

describe('SharedFrameExecutor', () => {
  test('a cached frame that depends on the viewer is given to no other viewer, in whichever microtask the other viewer asks (race)', async () => {
    for (let step = 0; step < 30; step += 1) {
      const execution = new SharedFrameExecutor(
        selectionWith([{ dependsOnViewer: true, immutable: true }], [3]),
      );
      const first = textsFor(execution, 'asha', [0]);
      await microtasks(step);

      const second = await textsFor(execution, 'ravi', [0]);

      expect(second, `asked after ${step} microtasks`).toEqual(['0 of ravi']);
      expect(await first).toEqual(['0 of asha']);
    }
  });

  test('the JSON of a frame that depends on the viewer is given only to the viewer for whom it was executed', async () => {
    const execution = new SharedFrameExecutor(
      selectionWith([{ dependsOnViewer: true, immutable: true }], [0]),
    );

    const [result] = await execution.execute([shownAs(0)], viewer('asha'), keyOf('asha'));

    expect(result?.isShared).toBe(false);
    expect(result?.jsonFor(keyOf('ravi'))).toBeUndefined();
  });

  test('with random interleavings of requests, each viewer gets only frames that were executed for this viewer or do not depend on the viewer', async () => {
    const nature = fc.record({ dependsOnViewer: fc.boolean(), immutable: fc.boolean() });
    const asking = fc.record({
      id: fc.constantFrom('asha', 'ravi', 'vera'),
      numbers: fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 5 }),
      after: fc.nat(12),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(nature, { minLength: 5, maxLength: 5 }),
        fc.array(fc.nat(8), { minLength: 1, maxLength: 6 }),
        fc.array(asking, { minLength: 2, maxLength: 12 }),
        async (natures, delays, askings) => {
          const execution = new SharedFrameExecutor(selectionWith(natures, delays));
          await Promise.all(
            askings.map(async ({ id, numbers, after }) => {
              await microtasks(after);
              const expected = numbers.map((number) =>
                natures[number]?.dependsOnViewer ? `${number} of ${id}` : `${number}`,
              );
              expect(await textsFor(execution, id, numbers)).toEqual(expected);
            }),
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});
