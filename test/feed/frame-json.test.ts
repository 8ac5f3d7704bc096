import { expect, test } from 'vitest';
import { encodeCursorOnce, FrameJson, PREVIOUS_CURSOR_PLACEHOLDER } from '../../src/feed/frame-json.ts';

test('FrameJson.after puts the previousCursor of a stream (null at its first frame) wherever the frame selects that field', () => {
  const frame = new FrameJson(
    JSON.stringify({
      one: PREVIOUS_CURSOR_PLACEHOLDER,
      cursor: 'c',
      two: { three: PREVIOUS_CURSOR_PLACEHOLDER },
    }),
  );

  const texts = ['a', 'b', null, 'a'].map((previous) => JSON.parse(frame.after(() => previous)));

  expect(texts).toEqual(
    ['a', 'b', null, 'a'].map((previous) => ({ one: previous, cursor: 'c', two: { three: previous } })),
  );
});

test('a frame that does not select previousCursor is sent unchanged, and its previousCursor is not computed', () => {
  const json = '{"data":{"feed":{"cursor":"c"}}}';

  const text = new FrameJson(json).after(() => {
    throw new Error('The cursor was computed');
  });

  expect(text).toBe(json);
});

test('encodeOnce encodes the cursor of a log entry once for any number of streams', () => {
  let encoded = 0;
  const cursors = {
    encode({ sequence }: { sequence: number }) {
      encoded += 1;
      return `at ${sequence}`;
    },
  };
  const entries = [1, 2].map((sequence) => ({ sessionId: '', sequence }));

  for (let stream = 0; stream < 100; stream += 1)
    expect(entries.map((entry) => encodeCursorOnce(cursors as never, entry as never))).toEqual([
      'at 1',
      'at 2',
    ]);

  expect(encoded).toBe(2);
});
