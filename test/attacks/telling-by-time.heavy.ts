/** Whether somebody else's session can be told from one that there is not by how long the answer takes. */
import { expect, test } from 'vitest';
import { atTheEnd } from '../harness/gateway.ts';
import { type Request, TRANSPORTS } from '../harness/transports.ts';
import { ASKED, schedule } from './attempts.ts';
import { tallyOf } from './tally.ts';
import { bootTwoCustomers, type Given } from './two-customers.ts';

const { gateway, customer, theirs, nobodys } = await bootTwoCustomers();
const ROUNDS = 200;
/** What somebody else's may take longer: well below what a statement more would cost. */
const BOUND = { share: 0.2, ms: 0.3 };

const TIMED = ['session', 'node of its meeting', 'scheduleMeeting'];
const tally = tallyOf('the time that answers take');

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

async function timeOf(request: Request): Promise<number> {
  const since = performance.now();
  await TRANSPORTS.HTTP(gateway, request, customer);
  return performance.now() - since;
}

test.each(TIMED)('%s takes as long for either', { timeout: 60_000 }, async (attempt) => {
  const requestOf = ASKED[attempt] as (given: Given) => Request;
  const times = { theirs: [] as number[], nobodys: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    // By turns, and either first: whatever else the machine does meets both.
    const order = round % 2 ? (['theirs', 'nobodys'] as const) : (['nobodys', 'theirs'] as const);
    for (const whose of order) times[whose].push(await timeOf(requestOf({ theirs, nobodys }[whose])));
  }

  const [foreign, missing] = [median(times.theirs), median(times.nobodys)];
  const apart = Math.abs(foreign - missing);
  tally.note(attempt, apart > Math.max(BOUND.ms, BOUND.share * missing));
  process.stdout.write(
    `${attempt}: ${foreign.toFixed(3)} ms for somebody else's, ${missing.toFixed(3)} ms for none (medians of ${ROUNDS})\n`,
  );
  expect(apart).toBeLessThan(Math.max(BOUND.ms, BOUND.share * missing));
});

test("an action on somebody else's session does not wait for those who work on it", async () => {
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
