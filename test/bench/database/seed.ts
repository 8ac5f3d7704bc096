import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { getUserSealingContext } from '../../../src/db/sessions/users.ts';
import { ALL_PAIRS } from '../../../src/domain/status.ts';
import { Sealer } from '../../../src/encryption/sealing.ts';
import { SECRETS } from '../harness/secrets.ts';

export const TRANSITIONS = 10;
const SESSIONS_A_USER = 4;
const BATCH = 25_000;
/** Seconds between the creation times of successive seeded sessions; the newest session is created now. */
const SECONDS_APART = 10;

const PAIRS = ALL_PAIRS.filter(({ subStatus }) => subStatus !== 'UNRECOGNIZED');

/** Returns the verification id of a seeded session by its number, which starts at 1. */
export const verificationIdOf = (number: number): string => `bench-${String(number).padStart(7, '0')}`;

/** Fills an empty database with sessions, each with a user, ten transitions and their feed positions. */
export async function seed(pool: pg.Pool, sessions: number, say: (line: string) => void): Promise<void> {
  const client = await pool.connect();
  try {
    // Turns foreign-key checks off: the seeded rows are consistent, and checking each reference would take
    // twice the time.
    await client.query('set session_replication_role = replica');
    await client.query(
      'create temporary table pairs (number int primary key, status text, sub text, party text)',
    );
    await client.query(
      'insert into pairs select ordinality - 1, s, b, p from unnest($1::text[], $2::text[], $3::text[]) with ordinality as u(s, b, p, ordinality)',
      [
        PAIRS.map((pair) => pair.status),
        PAIRS.map((pair) => pair.subStatus),
        PAIRS.map((pair) => pair.waitingOn),
      ],
    );
    await client.query('create temporary table people (number int primary key, id uuid)');
    for (let from = 1; from <= sessions; from += BATCH) {
      const to = Math.min(sessions, from + BATCH - 1);
      await seedUsers(
        client,
        Math.floor((from - 1) / SESSIONS_A_USER),
        Math.floor((to - 1) / SESSIONS_A_USER),
      );
      for (const statement of [SESSIONS, LOG, FEED])
        await client.query(statement.replaceAll(':pairs', String(PAIRS.length)), [from, to, sessions]);
      if (sessions > BATCH) say(`seeded ${to} of ${sessions} sessions`);
    }
    await client.query('reset session_replication_role');
    await client.query('vacuum analyze');
    await client.query('checkpoint');
  } finally {
    // Destroys the connection, which drops its temporary tables.
    client.release(true);
  }
}

async function seedUsers(client: pg.PoolClient, from: number, to: number): Promise<void> {
  const { id, key } = dataKey();
  const sealer = new Sealer([{ id, key }]);
  const people = Array.from({ length: to - from + 1 }, (_, offset) => {
    const number = from + offset;
    const uuid = randomUUID();
    const phone = String(9_000_000_000 + number);
    const personal = {
      phone,
      name: `Person ${number}`,
      email: `person-${number}@example.com`,
      address: null,
    };
    return {
      number,
      uuid,
      personal: sealer.seal(JSON.stringify(personal), getUserSealingContext(uuid)),
      phone,
    };
  });
  const given = [
    people.map(({ number }) => number),
    people.map(({ uuid }) => uuid),
    people.map(({ personal }) => personal),
    people.map(({ phone }) => sealer.hash(phone)),
  ];
  await client.query(
    `with given as (
       select * from unnest($1::int[], $2::uuid[], $3::bytea[], $4::bytea[]) as u(number, id, personal, hash)
     ), kept as (insert into people select number, id from given on conflict do nothing returning number, id)
     insert into vkyc_user (id, user_id, personal, phone_hash, created_at)
     select given.id, 'person-' || given.number, given.personal, given.hash, now() - interval '2 years'
     from given join kept using (number)`,
    given,
  );
}

function dataKey(): { id: string; key: Buffer } {
  const [id, key] = SECRETS.DATA_KEYS.split(':') as [string, string];
  return { id, key: Buffer.from(key, 'base64') };
}

/** SQL for the creation time of session number `n`. The id of the session is a UUIDv7 of this time. */
const TIME_OF = `date_trunc('second', now()) - ($3 - n) * interval '${SECONDS_APART} seconds'`;

const SESSIONS = `
  insert into vkyc_session (id, verification_id, reference_id, user_id, status, sub_status, raw_status, raw_sub_status,
    version, last_sequence, disputed, status_since, waiting_on, decided_here, provider_status, provider_sub_status,
    provider_webhooks, provider_heard_at, unsettled, created_at, updated_at)
  select
    (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
      || '8' || substr(md5(n::text), 4, 15))::uuid,
    'bench-' || lpad(n::text, 7, '0'), (1000000 + n)::text, people.id,
    pair.status, pair.sub, pair.status, pair.sub,
    ${TRANSITIONS}, ${TRANSITIONS}, false, at, pair.party, false, pair.status, pair.sub,
    ${TRANSITIONS}, at, false, at, at
  from generate_series($1::int, $2::int) as series(n)
  cross join lateral (select ${TIME_OF} as at) as times
  join pairs as pair on pair.number = n % :pairs
  join people on people.number = (n - 1) / ${SESSIONS_A_USER}`;

const LOG = `
  insert into status_transition (session_id, sequence, from_status, from_sub_status, status, sub_status, raw_status,
    raw_sub_status, verdict, source, occurred_at, recorded_at)
  select s.id, sequence, case when sequence > 1 then former.status end, case when sequence > 1 then former.sub end,
    pair.status, pair.sub, pair.status, pair.sub, 'MOVED', 'WEBHOOK',
    s.created_at + sequence * interval '30 seconds', s.created_at + sequence * interval '30 seconds'
  from generate_series($1::int, $2::int) as series(n)
  join vkyc_session s on s.verification_id = 'bench-' || lpad(n::text, 7, '0')
  cross join generate_series(1, ${TRANSITIONS}) as sequence
  join pairs as pair on pair.number = (n + sequence - ${TRANSITIONS} + :pairs) % :pairs
  join pairs as former on former.number = (n + sequence - 1 - ${TRANSITIONS} + :pairs) % :pairs
  where $3::int > 0`;

const FEED = `
  insert into feed (position, session_id, sequence)
  select (n - 1)::bigint * ${TRANSITIONS} + sequence, s.id, sequence
  from generate_series($1::int, $2::int) as series(n)
  join vkyc_session s on s.verification_id = 'bench-' || lpad(n::text, 7, '0')
  cross join generate_series(1, ${TRANSITIONS}) as sequence
  where $3::int > 0`;
