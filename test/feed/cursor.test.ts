import { expect, test } from 'vitest';
import { createCursors } from '../../src/feed/cursor.ts';

const identity = { epoch: 1, cursorKey: Buffer.alloc(32, 5) };
const PLACE = { sessionId: '018f0000-0000-7000-8000-000000000001', sequence: 7 };
/** Of that place, made by the last release. */
const FROM_BEFORE = 'AAAAAQGPAAAAAHAAgAAAAAAAAAEAAAAHjgA4sUj7_QCaTy37';

test('a cursor of the last release is understood, and no other text like it', () => {
  const cursors = createCursors(identity);
  const bytes = Buffer.from(FROM_BEFORE, 'base64url');

  expect(cursors.decode(FROM_BEFORE)).toEqual(PLACE);
  expect(cursors.decode(cursors.encode(PLACE))).toEqual(PLACE);
  for (let index = 0; index < bytes.length; index += 1) {
    const touched = Buffer.from(bytes);
    touched[index] = (touched[index] as number) ^ 1;
    expect(() => cursors.decode(touched.toString('base64url'))).toThrow('not a cursor of this gateway');
  }
});
