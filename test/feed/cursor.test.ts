import { expect, test } from 'vitest';
import { createCursorCodec } from '../../src/feed/cursor.ts';

const identity = { epoch: 1, cursorKey: Buffer.alloc(32, 5) };
const PLACE = {
  sessionId: '018f0000-0000-7000-8000-000000000001',
  sequence: 7,
  fingerprint: 0xfedc_ba98_7654,
  position: 2 ** 40 + 3,
};
/** A cursor that the last release issued for the session and sequence of PLACE. */
const OF_LAST_RELEASE = 'AAAAAQGPAAAAAHAAgAAAAAAAAAEAAAAHjgA4sUj7_QCaTy37';

test('a cursor decodes to its session, sequence, fingerprint and feed position, and encoding is deterministic', () => {
  const cursors = createCursorCodec(identity);

  for (const place of [PLACE, { ...PLACE, fingerprint: null }, { ...PLACE, position: null }]) {
    const cursor = cursors.encode(place);
    expect(cursors.decode(cursor)).toEqual(place);
    expect(cursors.encode({ ...place })).toBe(cursor);
  }
});

test('a cursor that the last release issued decodes without fingerprint and feed position', () => {
  const cursors = createCursorCodec(identity);

  expect(cursors.decode(OF_LAST_RELEASE)).toEqual({ ...PLACE, fingerprint: null, position: null });
});

test('before the time `oldCursorsUntil`, cursors are encoded as in the last release, so that replicas of that release accept the cursors during a rolling deploy', () => {
  let now = Date.parse('2026-11-29T12:00:00Z');
  const oldCursorsUntil = new Date(now + 1);
  const cursors = createCursorCodec({ ...identity, oldCursorsUntil, clock: { now: () => new Date(now) } });

  expect(cursors.encode(PLACE)).toBe(OF_LAST_RELEASE);
  now += 1;
  expect(cursors.encode(PLACE)).toBe(createCursorCodec(identity).encode(PLACE));
});

test('decode refuses a cursor in which one bit of any byte was changed', () => {
  const cursors = createCursorCodec(identity);

  for (const cursor of [OF_LAST_RELEASE, cursors.encode(PLACE)]) {
    const bytes = Buffer.from(cursor, 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const touched = Buffer.from(bytes);
      touched[index] = (touched[index] as number) ^ 1;
      expect(() => cursors.decode(touched.toString('base64url'))).toThrow(
        'cursor was not issued by this gateway',
      );
    }
  }
});
