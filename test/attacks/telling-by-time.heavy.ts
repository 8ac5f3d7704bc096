/** Timing attacks: the response time must not reveal whether a foreign session exists. */
import { expect, test } from 'vitest';
import { atTheEnd } from '../harness/gateway.ts';
import { type Request, TRANSPORTS } from '../harness/transports.ts';
import { ASKED, schedule } from './attempts.ts';
import { tallyOf } from './tally.ts';
import { bootTwoCustomers, type Given } from './two-customers.ts';

const { gateway, customer, theirs, nobodys } = await bootTwoCustomers();
const ROUNDS = 200;
/**
 * Allowed difference of the medians: 20 % or 0.3 ms, whichever is larger. One additional SQL statement would take
 * longer.
 */
const BOUND = { share: 0.2, ms: 0.3 };

const TIMED = ['session', 'node of a meeting', 'scheduleMeeting'];
const tally = tallyOf('the time that answers take');

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

async function timeOf(request: Request): Promise<number> {
  const since = performance.now();
  await TRANSPORTS.HTTP(gateway, request, customer);
  return performance.now() - since;
}

test.each(TIMED)(
  'the median response time of %s is about the same for a foreign and a non-existent session',
  { timeout: 60_000 },
  async (attempt) => {
    const requestOf = ASKED[attempt] as (given: Given) => Request;
    const times = { theirs: [] as number[], nobodys: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      // Alternates which session is asked for first, so that other load of the machine affects both equally.
      const order = round % 2 ? (['theirs', 'nobodys'] as const) : (['nobodys', 'theirs'] as const);
      for (const whose of order) times[whose].push(await timeOf(requestOf({ theirs, nobodys }[whose])));
    }

    const [foreign, missing] = [median(times.theirs), median(times.nobodys)];
    const apart = Math.abs(foreign - missing);
    tally.note(attempt, apart > Math.max(BOUND.ms, BOUND.share * missing));
    process.stdout.write(
      `${attempt}: ${foreign.toFixed(3)} ms for a foreign session, ${missing.toFixed(3)} ms for a non-existent one (medians of ${ROUNDS})\n`,
    );
    expect(apart).toBeLessThan(Math.max(BOUND.ms, BOUND.share * missing));
  },
);

test("an action on a foreign session gets NOT_FOUND without waiting for the session's row lock", async () => {
  const somebody = await gateway.database.connect();
  atTheEnd(async () => somebody.release(true));
  await somebody.query('begin');
  await somebody.query(`select from vkyc_session where verification_id = $1 for update`, [
    theirs.verificationId,
  ]);

  const { data } = await TRANSPORTS.HTTP(gateway, schedule({ sessionId: theirs.id }), customer);

  tally.note('waiting for a lock', false);
  expect(data.scheduleMeeting.code).toBe('NOT_FOUND');
});

tally.close(TIMED.length + 1);
