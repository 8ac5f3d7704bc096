import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as ws from 'ws';
import { clientFrame, FrameReader, OPCODE } from './frames.ts';

const digest = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');

/** Encodes a frame with the code that a `ws` server uses. */
const serverFrame = (payload: Buffer): Buffer =>
  Buffer.concat(
    (ws as any).Sender.frame(payload, {
      fin: true,
      rsv1: false,
      opcode: OPCODE.TEXT,
      mask: false,
      readOnly: true,
    }),
  );

test('the frame reader reports each WebSocket frame once, however its bytes are split into chunks', () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(65_536)), { maxLength: 8 });
  const cut = fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constant(65_000));
  fc.assert(
    fc.property(sizes, fc.array(cut, { minLength: 1 }), (lengths, cuts) => {
      const payloads = lengths.map((length, index) => Buffer.alloc(length, index));
      const wire = Buffer.concat(payloads.map(serverFrame));
      const seen: string[] = [];
      const reader = new FrameReader(
        (_opcode, length) => length % 2 === 0,
        (opcode, length, payload) =>
          seen.push(`${opcode} ${length} ${payload ? digest(payload) : 'skipped'}`),
      );

      for (let at = 0, turn = 0; at < wire.length; turn += 1) {
        const end = at + (cuts[turn % cuts.length] as number);
        reader.read(wire.subarray(at, end));
        at = end;
      }

      const sent = payloads.map(
        (payload) => `1 ${payload.length} ${payload.length % 2 === 0 ? digest(payload) : 'skipped'}`,
      );
      expect(seen).toEqual(sent);
    }),
  );
});

test('an encoded client frame is masked and states the length of its payload', () => {
  const short = clientFrame(OPCODE.TEXT, 'hello');
  const long = clientFrame(OPCODE.PONG, Buffer.alloc(126, 1));

  expect(short).toEqual(Buffer.from([0x81, 0x85, 0, 0, 0, 0, ...Buffer.from('hello')]));
  expect([...long.subarray(0, 8)]).toEqual([0x8a, 0xfe, 0, 126, 0, 0, 0, 0]);
  expect(long).toHaveLength(134);
});
