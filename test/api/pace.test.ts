/** `EventLoopYielder` splits the resolving of large responses into event-loop tasks, so that they do not block the event loop. */
import { expect, test } from 'vitest';
import { EventLoopYielder } from '../../src/graphql/pace.ts';
import { bootGateway } from '../harness/gateway.ts';
import { TRANSPORTS } from '../harness/transports.ts';

test('EventLoopYielder resolves the pages of a response in order, with at most a fixed number of rows per event-loop task', async () => {
  const pace = new EventLoopYielder();
  const order: number[] = [];
  const rowsOfTasks: number[] = [0];
  let isOver = false;
  const countTask = () => {
    rowsOfTasks.push(0);
    if (!isOver) setImmediate(countTask);
  };
  setImmediate(countTask);

  await Promise.all(
    Array.from({ length: 50 }, async (_, page) => {
      await pace.take(60);
      rowsOfTasks.push((rowsOfTasks.pop() ?? 0) + 60);
      order.push(page);
    }),
  );
  isOver = true;

  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(Math.max(...rowsOfTasks)).toBe(180);
});

test('EventLoopYielder resolves a response with few rows in one event-loop task', () => {
  const pace = new EventLoopYielder();

  expect([pace.take(0), pace.take(99), pace.take(100)]).toEqual([undefined, undefined, undefined]);
});

test('EventLoopYielder resolves a page even if it has more rows than one event-loop task may resolve', async () => {
  const pace = new EventLoopYielder();

  await Promise.all([pace.take(500), pace.take(500), pace.take(1)]);
});

test('an operation whose result may have more than 100,000 values is refused, even if it has few objects', async () => {
  const gateway = await bootGateway();
  const leaves = (count: number) => Array.from({ length: count }, (_, n) => `a${n}: sequence`).join(' ');
  const ask = (count: number) =>
    TRANSPORTS.HTTP(gateway, {
      query: `{ sessions(first: 100) { nodes { transitions(first: 100) { nodes { ${leaves(count)} } } } } }`,
    });

  const within = await ask(10);
  const beyond = await ask(11);

  expect(within.errors).toEqual([]);
  expect(beyond.errors.map(({ extensions }) => extensions.code)).toEqual(['QUERY_TOO_COMPLEX']);
  expect(beyond.errors[0]?.message).toBe(
    'The result of this operation may contain 110000 values; the limit is 100000. Ask for smaller pages, or for fewer fields per entry.',
  );
});
