/** Frames of passed deadlines, which have no entry in the log. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { OverdueSession } from '../../src/db/sessions/deadlines.ts';
import { Connection, createFloor, createLog, createSelection, linked, upTo, viewer } from './followers.ts';

const due = (id: string): OverdueSession => ({
  ...{ id, verificationId: id, dueAt: new Date('2026-01-05T10:00:00Z') },
  ...{ status: 'PRE_VIDEO_CALL', subStatus: 'USER_QUEUED' },
});
const deadlines = ({ received }: Connection) => received.filter(({ kind }) => kind === 'DEADLINE').length;
const wantsDeadline = () => true;

test('live subscribers are told once, with one execution for all, and only of the sessions that they want', async () => {
  const floor = createFloor(createLog(3));
  const followers = upTo(50).map(() => floor.follow(3, { wantsDeadline }));
  const picky = floor.follow(3, { wantsDeadline: ({ id }) => id === 'b' });
  const deaf = floor.follow(3);
  await floor.areLive(52);
  floor.selection.executed = [];

  await floor.audience.passDeadlines([due('a'), due('b')]);

  for (const { connection } of followers) expect(connection.received).toHaveLength(2);
  expect(picky.connection.received).toHaveLength(1);
  expect(deaf.connection.received).toHaveLength(0);
  expect(floor.selection.executed).toHaveLength(2);
});

test('the frame carries the cursor that the subscriber has, and the frames around it stay linked', async () => {
  const floor = createFloor(createLog(3));
  const { connection } = floor.follow(0, { wantsDeadline });
  await floor.areLive(1);
  await floor.audience.passDeadlines([due('a')]);
  floor.append(2);
  await connection.until(({ length }) => length === 6);

  expect(connection.received.map(({ kind }) => kind[0]).join('')).toBe('TTTDTT');
  expect(connection.received[3]?.cursor).toBe(connection.received[2]?.cursor);
  expect(linked(0, connection)).toEqual(Array(6).fill(true));
  expect(connection.numbers).toEqual(upTo(5));
});

test('a subscriber that is catching up, or whose connection is full, is told when it is live again', async () => {
  const floor = createFloor(createLog(500));
  const full = new Connection();
  floor.follow(500, { wantsDeadline, connection: full });
  await floor.areLive(1);
  full.roomFor = 1;
  floor.append(3);
  await full.until(({ length }) => length === 1);
  const late = floor.follow(0, { wantsDeadline });
  const silent = new Connection();
  silent.roomFor = 0;
  floor.follow(503, { wantsDeadline, connection: silent });

  await floor.audience.passDeadlines([due('a'), due('b')]);
  expect([full, late.connection, silent].map(deadlines)).toEqual([0, 0, 0]);

  full.drain();
  silent.drain();
  for (const connection of [full, late.connection, silent]) {
    await connection.until(() => deadlines(connection) === 2);
    expect(
      linked(connection === late.connection ? 0 : connection === full ? 500 : 503, connection),
    ).not.toContain(false);
  }
  expect(full.numbers).toEqual(upTo(503, 501));
  expect(late.connection.numbers).toEqual(upTo(503));
  await turn();
  expect([full, late.connection, silent].map(deadlines)).toEqual([2, 2, 2]);
});

test('each viewer gets their own frame if it depends on the viewer, and who has left gets none', async () => {
  const floor = createFloor(createLog(), createSelection({ dependsOnViewer: true }));
  const followers = ['a', 'b', 'a'].map((id) => floor.follow(0, { wantsDeadline, viewer: viewer(id) }));
  const gone = floor.follow(0, { wantsDeadline });
  await floor.areLive(4);
  gone.leave();
  await floor.audience.passDeadlines([due('a')]);
  expect(followers.map(({ connection }) => connection.received.map((frame) => frame.viewer))).toEqual([
    ['a'],
    ['b'],
    ['a'],
  ]);
  expect(gone.connection.received).toEqual([]);
});
