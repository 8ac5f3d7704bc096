/** Malformed WebSocket frames and messages: the gateway closes the socket that sent them, and serves other clients. */
import { expect, test } from 'vitest';
import { bootGateway, eventually } from '../harness/gateway.ts';
import { closeCodeOf, type Frame, frameOf, OPCODE, rawWebSocket } from '../harness/raw-peer.ts';
import { tallyOf } from './tally.ts';

const gateway = await bootGateway();
const MUTATION =
  'mutation { startSession(input: { verificationId: "attack", user: { phone: "9988776655" } }) { __typename } }';
const LARGEST_MESSAGE_BYTES = 64 * 1024;

const INIT = { payload: { type: 'connection_init' } };
const subscribe = (id: unknown, payload: unknown = { query: MUTATION }): Frame => ({
  payload: { id, type: 'subscribe', payload },
});
const WATCH = subscribe('1', { query: 'subscription { statusTransitions { sequence } }' });
const LONG_WATCH = subscribe('€'.repeat(1_000), { query: 'subscription { statusTransitions { sequence } }' });
/** First frame of a fragmented message: more frames must follow. */
const begun = (payload: string | Buffer = ''): Frame => ({ payload, last: false });
const more = (payload: string | Buffer = ''): Frame => ({
  payload,
  last: false,
  opcode: OPCODE.CONTINUATION,
});
const CLOSE = (payload: Buffer | string): Frame => ({ payload, opcode: OPCODE.CLOSE });

const PROTOCOL = 1002;
const UNSUPPORTED = 1003;
const NOT_UTF8 = 1007;
const TOO_LARGE = 1009;
const INVALID = 4400;

/** Malformed frames that are sent after sign-in, each with the close code that the gateway must answer with. */
const FRAMES: Record<string, [frames: Frame[], code: number]> = {
  'a text that is not UTF-8': [[{ payload: Buffer.from([0xc3, 0x28]) }], NOT_UTF8],
  'a text cut within a character': [[{ payload: Buffer.from('€').subarray(0, 2) }], NOT_UTF8],
  'an encoded lone surrogate': [[{ payload: Buffer.from([0xed, 0xa0, 0x80]) }], NOT_UTF8],
  'a mutation in a binary frame': [[{ ...subscribe('1'), opcode: OPCODE.BINARY }], UNSUPPORTED],
  'a binary frame of garbage': [[{ payload: Buffer.alloc(100, 255), opcode: OPCODE.BINARY }], UNSUPPORTED],
  'a mutation that is not masked': [[{ ...subscribe('1'), masked: false }], PROTOCOL],
  'a frame with a reserved bit': [[{ ...subscribe('1'), reserved: 1 }], PROTOCOL],
  'a frame with the bit for compression': [[{ ...subscribe('1'), reserved: 4 }], PROTOCOL],
  'an unknown opcode': [[{ ...subscribe('1'), opcode: 3 }], PROTOCOL],
  'an unknown control opcode': [[{ opcode: 11 }], PROTOCOL],
  'a continuation without a beginning': [[{ ...subscribe('1'), opcode: OPCODE.CONTINUATION }], PROTOCOL],
  'a message within a message': [[begun('{'), subscribe('1')], PROTOCOL],
  'a fragmented ping': [[{ opcode: OPCODE.PING, last: false }], PROTOCOL],
  'a ping that is too long': [[{ opcode: OPCODE.PING, payload: 'x'.repeat(126) }], PROTOCOL],
  'a close of one byte': [[CLOSE('x')], PROTOCOL],
  'a close with an invalid code': [[CLOSE(Buffer.from([0, 1]))], PROTOCOL],
  'a close with a reason that is not UTF-8': [[CLOSE(Buffer.from([3, 232, 0xc3, 0x28]))], NOT_UTF8],
  'a message that is too large': [[{ payload: 'x'.repeat(LARGEST_MESSAGE_BYTES + 1) }], TOO_LARGE],
  'fragments that are too large together': [
    [begun(), ...Array.from({ length: 65 }, () => more('x'.repeat(1024)))],
    TOO_LARGE,
  ],
  'endless fragments of one byte': [[begun(), ...Array.from({ length: 20_000 }, () => more('x'))], 1008],
  'a message that is not JSON': [[{ payload: 'mutation' }], INVALID],
  'truncated JSON': [[{ payload: '{"id":"1","type":"subscribe","payload":{' }], INVALID],
  'an empty message': [[{}], INVALID],
  'a list of messages': [[{ payload: [subscribe('1').payload] }], INVALID],
  'the JSON value null': [[{ payload: 'null' }], INVALID],
  'the JSON value 7': [[{ payload: '7' }], INVALID],
  'deeply nested JSON': [[{ payload: '['.repeat(60_000) }], INVALID],
  'a message without a type': [[{ payload: { id: '1', payload: { query: MUTATION } } }], INVALID],
  'an unknown message type': [
    [{ payload: { id: '1', type: 'start', payload: { query: MUTATION } } }],
    INVALID,
  ],
  'a type named like a member of every object (__proto__)': [
    [{ payload: { id: '1', type: '__proto__' } }],
    INVALID,
  ],
  'a message that only the server may send': [
    [{ payload: { id: '1', type: 'next', payload: { data: {} } } }],
    INVALID,
  ],
  "the server's acknowledgement": [[{ payload: { type: 'connection_ack' } }], INVALID],
  'an operation without an id': [[subscribe(undefined)], INVALID],
  'an operation with an empty id': [[subscribe('')], INVALID],
  'an operation whose id is a number': [[subscribe(1)], INVALID],
  'an operation without a query': [[subscribe('1', {})], INVALID],
  'an operation whose query is an object': [[subscribe('1', { query: { query: MUTATION } })], INVALID],
  'an operation whose variables are a string': [
    [subscribe('1', { query: MUTATION, variables: '{}' })],
    INVALID,
  ],
  'a second connection_init': [[INIT], 4429],
  'an operation id that is in use': [[WATCH, WATCH], 4409],
  'a long operation id that is in use': [[LONG_WATCH, LONG_WATCH], 4409],
};

/** Malformed frames that are sent before sign-in, each with the close code that the gateway must answer with. */
const UNINVITED: Record<string, [frames: Frame[], code: number]> = {
  'an operation before connection_init': [[subscribe('1')], 4401],
  'an operation directly after a refused connection_init': [
    [{ payload: { type: 'connection_init', payload: { authorization: 'x' } } }, subscribe('1')],
    4401,
  ],
  'a complete for an unknown operation, then silence': [[{ payload: { id: '1', type: 'complete' } }], 4408],
  'only pings': [[{ opcode: OPCODE.PING }, { payload: { type: 'ping' } }], 4408],
  'a message without its last fragment, then silence': [[begun('{'), more(' ')], 4408],
};

const tally = tallyOf('malformed frames');

const witness = gateway.subscribe('subscription { feed { __typename } }');
await witness.next();

/** Opens a WebSocket, signs in if `signsIn`, and sends frames; returns the close code from the gateway. */
async function closedWith(frames: readonly Frame[], signsIn: boolean): Promise<number> {
  const peer = await rawWebSocket(gateway.url);
  await peer.hears('\r\n\r\n');
  if (signsIn) {
    peer.send(frameOf(INIT));
    await peer.hears('connection_ack');
  }
  peer.send(Buffer.concat(frames.map(frameOf)));
  return eventually(async () => closeCodeOf(peer.heard));
}

/** Asserts that another client is served; returns true if the mutation within the attack was not executed. */
async function isInVain(): Promise<boolean> {
  expect((await gateway.graphql('{ viewer { id } }')).data.viewer.id).toBe('developer');
  const { rows } = await gateway.database.query(`select from start_intent where verification_id = 'attack'`);
  return rows.length === 0;
}

test.each(Object.entries(FRAMES))(
  'malformed frames after sign-in close only the socket that sent them: %s',
  async (name, [frames, code]) => {
    const closed = await closedWith(frames, true);

    tally.note(name, !(await isInVain()));
    expect(closed).toBe(code);
  },
);

test.concurrent.each(Object.entries(UNINVITED))(
  'malformed frames before sign-in close only the socket that sent them: %s',
  async (name, [frames, code]) => {
    const closed = await closedWith(frames, false);

    tally.note(name, !(await isInVain()));
    expect(closed).toBe(code);
  },
);

test('no malformed frame of the tests above closed another socket or was logged as an internal error', async () => {
  await gateway.start('witness.happy-path');

  expect((await witness.next()).__typename).toBe('StatusTransition');
  expect(gateway.logs.filter((line) => line.includes('"level":50'))).toEqual([]);
});

tally.close(Object.keys(FRAMES).length + Object.keys(UNINVITED).length);
