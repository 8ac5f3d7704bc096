import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient } from 'graphql-ws';
import pg from 'pg';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { atTheEnd, DATA_KEYS, freshDatabase } from '../harness/gateway.ts';
import { startGatewayProcess } from '../harness/process.ts';

const BOOKINGS = Number(process.env.BOOKINGS ?? 10_000);
const CAPACITY = 25;
/** Slots that all bookings are for, of the 24 hours of the day after tomorrow. */
const WANTED = 4;
const SLOT_MS = 30 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
const SOCKETS = 50;
/** Operations in flight on one socket: as many as a gateway allows. */
const IN_FLIGHT = BOOKINGS / (2 * SOCKETS);

const BOOK = `mutation ($input: ScheduleMeetingInput!) {
  result: scheduleMeeting(input: $input) {
    __typename
    ... on TimeUnavailableError { reason nextFreeSlots { startsAt available } }
    ... on MutationError { message }
  }
}`;

/** Inserts sessions that nobody started, since starting them would take longer than booking. */
async function insertSessions(database: pg.Pool): Promise<string[]> {
  await database.query(
    `insert into vkyc_user (id, user_id, personal, created_at) values (gen_random_uuid(), 'crowd', '', now())`,
  );
  const { rows } = await database.query<{ id: string }>(
    `insert into vkyc_session (id, verification_id, user_id, status, sub_status, waiting_on, version, last_sequence,
       disputed, decided_here, provider_status, provider_sub_status, provider_webhooks, provider_heard_at, unsettled,
       status_since, created_at, updated_at)
     select gen_random_uuid(), 'crowd.' || n, (select id from vkyc_user), 'RECEIVED', 'LINK_GENERATED', 'CUSTOMER', 1, 1,
       false, false, 'RECEIVED', 'LINK_GENERATED', 0, now(), false, now(), now(), now()
     from generate_series(1, $1::int) n returning id`,
    [BOOKINGS],
  );
  return rows.map(({ id }) => Buffer.from(`VkycSession:${id}`).toString('base64url'));
}

/** Sends one mutation over a socket; rejects if the answer has errors. */
const send = (client: Client, input: object): Promise<any> =>
  new Promise((resolve, reject) => {
    let found: any = null;
    client.subscribe<{ result: any }>(
      { query: BOOK, variables: { input } },
      {
        next: ({ data, errors }) => {
          found = errors ? { errors } : data?.result;
        },
        error: reject,
        complete: () => (found?.errors ? reject(found.errors[0]) : resolve(found)),
      },
    );
  });

// Invariant 19 of ARCHITECTURE.md
test('10,000 bookings at once on two processes fill each slot exactly, and exceed no capacity', {
  timeout: 900_000,
}, async () => {
  const DATABASE_URL = await freshDatabase();
  const database = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });
  atTheEnd(() => database.end());
  const environment = {
    ...{ DATABASE_URL, DATA_KEYS, LOG_LEVEL: 'info', ACCESS_LOG: '0' },
    ...{ REQUEST_SECONDS: '280', RATE_LIMIT_COST_PER_MINUTE: '0' },
    ...{ MEETING_HOURS: 'Mon-Sun 00:00-24:00', MEETING_CAPACITY: String(CAPACITY) },
  };
  const one = await startGatewayProcess(environment);
  const { sandbox } = JSON.parse(one.output.find((line) => line.includes('is ready')) as string);
  const access = {
    CASHFREE_BASE_URL: sandbox,
    CASHFREE_CLIENT_ID: 'sandbox',
    CASHFREE_CLIENT_SECRET: 'sandbox',
  };
  const two = await startGatewayProcess({ ...environment, ...access });
  const sessions = await insertSessions(database);
  const clients = [one, two].flatMap(({ url }) =>
    Array.from({ length: SOCKETS }, () =>
      createClient({
        url: `${url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        lazyCloseTimeout: 60_000,
      }),
    ),
  );
  atTheEnd(async () => void (await Promise.all(clients.map((client) => client.dispose()))));
  const first = Math.ceil(Date.now() / DAY_MS + 1) * DAY_MS;
  const wanted = Array.from({ length: WANTED }, (_, n) => new Date(first + n * SLOT_MS).toISOString());

  const startedAt = performance.now();
  let repeated = 0;
  let answered = 0;
  const progress = setInterval(
    () => process.stderr.write(`${answered} of ${BOOKINGS} answered, ${repeated} repeated\n`),
    10_000,
  );
  atTheEnd(async () => clearInterval(progress));
  const answers = await Promise.all(
    sessions.map(async (sessionId, index) => {
      const client = clients[Math.floor(index / IN_FLIGHT)] as Client;
      const input = { sessionId, idempotencyKey: randomUUID(), startsAt: wanted[index % WANTED] };
      for (let wait = 1_000; ; wait = Math.min(2 * wait, 30_000)) {
        const answer = await send(client, input).catch(() => null);
        answered += answer ? 1 : 0;
        if (answer) return answer;
        // The gateway is overloaded, and says so. Clients wait and repeat the call with the same key.
        repeated += 1;
        await delay(wait * (1 + Math.random()));
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  process.stderr.write(
    `${BOOKINGS} bookings in ${seconds.toFixed(1)} s, ${repeated} calls repeated by overload\n`,
  );

  const booked = answers.filter(({ __typename }) => __typename === 'ScheduleMeetingSuccess');
  const refused = answers.filter(({ reason }) => reason === 'SLOT_FULL');
  expect(booked).toHaveLength(WANTED * CAPACITY);
  expect(refused).toHaveLength(BOOKINGS - WANTED * CAPACITY);
  for (const { nextFreeSlots } of refused) {
    expect(nextFreeSlots).toHaveLength(5);
    expect(nextFreeSlots.every(({ available }: { available: boolean }) => available)).toBe(true);
  }
  const { rows } = await database.query(
    `select starts_at, count(*)::int as count, count(distinct session_id)::int as sessions
     from meeting where status = 'SCHEDULED' group by starts_at order by starts_at`,
  );
  expect(rows.map(({ starts_at, ...counts }) => [starts_at.toISOString(), counts])).toEqual(
    wanted.map((startsAt) => [startsAt, { count: CAPACITY, sessions: CAPACITY }]),
  );
  expect((await database.query('select from meeting')).rowCount).toBe(WANTED * CAPACITY);
  expect((await database.query('select from idempotency_key')).rowCount).toBe(WANTED * CAPACITY);
});
