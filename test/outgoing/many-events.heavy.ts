import pg from 'pg';
import { expect, test } from 'vitest';
import { atTheEnd, DATA_KEYS, eventually, freshDatabase } from '../harness/gateway.ts';
import { startGatewayProcess } from '../harness/process.ts';
import { type Behaviour, hang, reset, sendTo, startReceiver, verify } from '../harness/receiver.ts';

const EVENTS = Number(process.env.WEBHOOK_EVENTS ?? 100_000);
const RECEIVERS = 3;
const TRANSITIONS = 10;
const SESSIONS = Math.ceil(EVENTS / RECEIVERS / TRANSITIONS);
/** Sessions whose transitions are recorded in one transaction. */
const BATCH = 200;
const KILLS = 3;
const MINUTE_MS = 60_000;

const START = `mutation ($input: StartSessionInput!) { startSession(input: $input) { __typename } }`;

/**
 * Copies a session with all columns under new ids, and its first transition under ten sequences. They get their feed
 * positions from the gateways.
 */
const COPY = `with copied as (
  insert into vkyc_session select (jsonb_populate_record(null::vkyc_session, to_jsonb(s) || jsonb_build_object(
    'id', gen_random_uuid(), 'verification_id', 'copy-' || n, 'reference_id', 'copy-' || n, 'next_poll_at', null,
    'last_sequence', $3::int))).*
  from vkyc_session s, generate_series($1::int, $2::int) n where s.verification_id = 'original'
  returning id
), logged as (
  insert into status_transition
  select (jsonb_populate_record(null::status_transition, to_jsonb(t) || jsonb_build_object(
    'session_id', copied.id, 'sequence', n))).*
  from copied, generate_series(1, $3::int) n,
    (select * from status_transition where session_id = (select id from vkyc_session where verification_id = 'original')
     order by sequence limit 1) t
  returning session_id, sequence
)
insert into transition_outbox (session_id, sequence) select session_id, sequence from logged order by session_id, sequence`;

/** Fails now and then: each way to fail that a receiver has, chosen by chance. */
const sometimesFails: Behaviour = (delivery, response) => {
  const chance = Math.random();
  if (chance < 0.01) return 500;
  if (chance < 0.02) return reset(delivery, response);
  if (chance < 0.021) return hang(delivery, response);
  return 200;
};

// Invariant 21 of ARCHITECTURE.md
test(`of ${EVENTS} events to receivers that answer, fail by chance and are away at first, none is lost although gateways are killed; each session's events arrive in order, and only the same id comes twice`, {
  timeout: 30 * MINUTE_MS,
}, async () => {
  const receivers = {
    good: await startReceiver(),
    flaky: await startReceiver(),
    away: await startReceiver(),
  };
  receivers.flaky.answer(sometimesFails);
  receivers.away.answer(() => 503);
  const DATABASE_URL = await freshDatabase();
  const database = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });
  atTheEnd(() => database.end());
  const settings = { DATABASE_URL, DATA_KEYS, ...sendTo(receivers, { events: ['session.transitioned'] }) };
  const first = await startGatewayProcess(settings);
  atTheEnd(async () => void (await first.end('SIGTERM')));
  await first.graphql(START, {
    input: { verificationId: 'original', user: { phone: '9988776655' } },
  });
  await eventually(async () => receivers.good.accepted.length > 0);

  const recording = (async () => {
    for (let from = 1; from <= SESSIONS; from += BATCH)
      await database.query(COPY, [from, Math.min(from + BATCH - 1, SESSIONS), TRANSITIONS]);
  })();
  const expected = SESSIONS * TRANSITIONS;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const killed = await startGatewayProcess(settings);
    await eventually(
      async () => receivers.good.accepted.length >= Math.min(expected, (expected * kill) / (KILLS + 1)),
    );
    await killed.end('SIGKILL');
  }
  await recording;
  receivers.away.answer(() => 200);
  const copies = (receiver: typeof receivers.good) =>
    receiver.received.filter(({ body }) => body.data.session.verificationId.startsWith('copy-'));
  await eventually(async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { rows } = await database.query(
      `select count(*)::int as left from merchant_delivery where state = 'PENDING'`,
    );
    return rows[0].left === 0 && receivers.good.accepted.length > expected;
  });

  for (const [name, receiver] of Object.entries(receivers)) {
    const seen = new Map<string, number[]>();
    const texts = new Map<string, string>();
    for (const delivery of copies(receiver)) {
      const { id, text, body } = delivery;
      const again = texts.get(id);
      if (again === undefined) {
        texts.set(id, text);
        const { verificationId } = body.data.session;
        seen.set(verificationId, [...(seen.get(verificationId) ?? []), body.data.sequence]);
        expect(verify(delivery)).toEqual(body);
      } else if (again !== text) throw new Error(`${name}: ${id} came with two bodies`);
    }
    const wrong = [...seen].filter(([, sequences]) =>
      sequences.some((sequence, index) => sequence !== index + 1),
    );
    expect(wrong, name).toEqual([]);
    expect(texts.size, name).toBe(expected);
    expect(new Set(receiver.accepted.map(({ id }) => id)).size, name).toBeGreaterThanOrEqual(expected);
    process.stderr.write(`${name}: ${expected} events, ${copies(receiver).length - expected} repetitions\n`);
  }
});
