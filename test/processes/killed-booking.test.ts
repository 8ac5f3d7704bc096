import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect, test } from 'vitest';
import { atTheEnd, DATA_KEYS, eventually, freshDatabase } from '../harness/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../harness/process.ts';

const DAY_MS = 24 * 60 * 60_000;

const START = `mutation ($input: StartSessionInput!) {
  result: startSession(input: $input) { ... on StartSessionSuccess { session { id } } }
}`;
const BOOK = `mutation ($input: ScheduleMeetingInput!) {
  result: scheduleMeeting(input: $input) {
    __typename
    ... on MutationError { message }
    ... on ScheduleMeetingSuccess { replayed session { subStatus meeting { startsAt } } }
  }
}`;

/** Starts two processes over one database, with a calendar that has one place a slot. */
async function startReplicas(DATABASE_URL: string): Promise<[GatewayProcess, GatewayProcess]> {
  const environment = {
    ...{ DATABASE_URL, DATA_KEYS, MEETING_HOURS: 'Mon-Sun 00:00-24:00', MEETING_CAPACITY: '1' },
  };
  const one = await startGatewayProcess(environment);
  const { sandbox } = JSON.parse(one.output.find((line) => line.includes('is ready')) as string);
  const access = {
    CASHFREE_BASE_URL: sandbox,
    CASHFREE_CLIENT_ID: 'sandbox',
    CASHFREE_CLIENT_SECRET: 'sandbox',
  };
  return [one, await startGatewayProcess({ ...environment, ...access })];
}

test('a process that is killed between taking a place and committing the booking gives the place back', async () => {
  const databaseUrl = await freshDatabase();
  const database = new pg.Pool({ connectionString: databaseUrl, max: 3 });
  atTheEnd(() => database.end());
  const [one, two] = await startReplicas(databaseUrl);
  const start = async (verificationId: string): Promise<string> =>
    (await one.graphql(START, { input: { verificationId, user: { phone: '9988776655' } } })).result.session
      .id;
  const [a, b] = [await start('killed.a'), await start('killed.b')];
  const startsAt = new Date(Math.ceil(Date.now() / DAY_MS) * DAY_MS).toISOString();
  const call = (sessionId: string) => ({ input: { sessionId, startsAt, idempotencyKey: randomUUID() } });
  const waiting = async (text: string) =>
    (
      await database.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database() and query like $1`,
        [text],
      )
    ).rowCount;

  // The booking of A takes the place, and then waits for the table of keys.
  const holder = await database.connect();
  await holder.query('begin');
  await holder.query('lock table idempotency_key in exclusive mode');
  const ofA = call(a);
  const lost = two.graphql(BOOK, ofA).catch((error: Error) => error);
  await eventually(() => waiting('%idempotency_key%'));
  // The booking of B waits for the slot.
  const ofB = call(b);
  const booking = one.graphql(BOOK, ofB);
  await eventually(() => waiting('%pg_advisory_xact_lock%'));

  await two.end('SIGKILL');
  expect(await lost).toBeInstanceOf(Error);
  await holder.query('rollback');
  holder.release();

  expect((await booking).result).toMatchObject({
    __typename: 'ScheduleMeetingSuccess',
    session: { subStatus: 'USER_MEETING_SCHEDULED', meeting: { startsAt } },
  });
  // Neither the retry of A nor that of B takes another place.
  expect((await one.graphql(BOOK, ofA)).result).toMatchObject({
    __typename: 'TimeUnavailableError',
    message: 'All places at this time are taken: choose another time.',
  });
  expect((await one.graphql(BOOK, ofB)).result).toMatchObject({ replayed: true });
  const { rows } = await database.query('select starts_at, status from meeting');
  expect(rows).toEqual([{ starts_at: new Date(startsAt), status: 'SCHEDULED' }]);
});
