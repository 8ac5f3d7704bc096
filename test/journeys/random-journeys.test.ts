import { expect, test } from 'vitest';
import { movableClock } from '../harness/clock.ts';
import { setFaults } from '../harness/faults.ts';
import { bootGateway, eventually, type Gateway } from '../harness/gateway.ts';
import { expectFolds } from '../harness/log.ts';
import { type Journey, travel } from './journeys.ts';

/** Number of journeys for each webhook setting of the sandbox. */
const COUNT = Number(process.env.JOURNEYS ?? 12);
const SEED = process.env.JOURNEY_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const HOUR = 3_600_000;
const HALFWAY = 'happy-path.halfway';

for (const webhooks of ['every-status', 'documented'] as const) {
  test(`if webhooks are lost, repeated and reordered, each delivered update is recorded once, and polling finds the lost ones (${webhooks})`, {
    timeout: 60_000 + COUNT * 500,
  }, async () => {
    process.stdout.write(`${COUNT} random journeys, ${webhooks}, JOURNEY_SEED=${SEED}\n`);
    const clock = movableClock();
    const environment = { SANDBOX_WEBHOOKS: webhooks, SANDBOX_SEED: SEED };
    const gateway = await bootGateway({ environment, clock, polling: true });
    await setFaults(gateway, { drop: {} });

    // Adds a session that is certainly unfinished, because the random ones may all have ended. Only polling
    // can find its status, because the fault `drop` loses its webhooks.
    await gateway.start(HALFWAY);
    await gateway.advance(HALFWAY, 2);
    const journeys = await travel({ gateway, seed: SEED, count: COUNT, webhooks, onProgress: report });
    await processed(gateway);

    // Polls each session twice: a poll answer that repeats an older status applies only if a later poll
    // confirms it.
    for (let looks = 0; looks < 2; looks += 1) {
      clock.forward(HOUR);
      await polled(gateway, clock.now());
    }
    await expectInStep(gateway);
    for (const journey of journeys) await expectEachNewsOnce(gateway, journey);
    await expectNothingReopened(gateway);
    await expectFolds(gateway.database);
  });
}

function report(done: number): void {
  if (done % 100 === 0) process.stderr.write(`${done} of ${COUNT} journeys\n`);
}

const processed = (gateway: Gateway) =>
  eventually(async () => {
    const { rows } = await gateway.database.query(
      `select state, count(*)::int as count from webhook_inbox group by state`,
    );
    expect(rows.filter((row) => row.state === 'PARKED' || row.state === 'WAITING')).toEqual([]);
    return !rows.some((row) => row.state === 'PENDING');
  });

const keyOf = (status: string, subStatus: string, at: string | Date) =>
  `${status}/${subStatus} ${new Date(at).toISOString()}`;

/** Returns whether every session that is still polled has been polled since `time`. */
const polled = (gateway: Gateway, time: Date) =>
  eventually(async () => {
    const { rowCount } = await gateway.database.query(
      'select from vkyc_session where next_poll_at is not null and provider_heard_at < $1 limit 1',
      [time],
    );
    return rowCount === 0;
  });

/**
 * Expects exactly one observation (stored occurrence of a raw status) for each delivered update, and one transition
 * for each observation.
 */
async function expectEachNewsOnce(gateway: Gateway, { sessionId, verificationId, delivered }: Journey) {
  const { rows: observations } = await gateway.database.query(
    `select s.raw_status, s.raw_sub_status, s.event_time, s.sequence from provider_sighting s
     join vkyc_session on id = s.session_id where verification_id = $1`,
    [verificationId],
  );
  const { rows: log } = await gateway.database.query(
    `select t.source, t.raw_status from status_transition t
     join vkyc_session on id = t.session_id where verification_id = $1`,
    [verificationId],
  );
  const heard = observations.filter((row) => row.event_time !== null);
  const expected = new Set(
    delivered.map(({ data, event_time }) => keyOf(data.status, data.sub_status, event_time)),
  );
  expect(
    heard.map((row) => keyOf(row.raw_status, row.raw_sub_status, row.event_time)).sort(),
    `${verificationId} (${sessionId})`,
  ).toEqual([...expected].sort());
  expect(log.filter((row) => row.raw_status !== null)).toHaveLength(observations.length);
  expect(log.filter((row) => row.source === 'WEBHOOK' && row.raw_status !== null).length).toBeLessThanOrEqual(
    expected.size,
  );
}

/** Expects that no transition changes the status of a session after its end. */
async function expectNothingReopened(gateway: Gateway) {
  const { rows } = await gateway.database.query(
    `select later.session_id, ended.sub_status, later.sub_status as then from status_transition ended
     join status_transition later on later.session_id = ended.session_id and later.sequence > ended.sequence
     where ended.verdict = 'MOVED' and later.verdict = 'MOVED'
       and ended.status in ('AUDITOR_REVIEWED', 'REJECTED', 'EXPIRED')`,
  );
  expect(rows).toEqual([]);
}

/**
 * Expects that the last known raw status of each session that is still polled is the provider's current one.
 */
async function expectInStep(gateway: Gateway) {
  const { rows } = await gateway.database.query(
    `select verification_id, provider_status as status, provider_sub_status as sub_status
     from vkyc_session where next_poll_at is not null`,
  );
  const response = await fetch(new URL('/_sandbox/verifications', gateway.sandboxUrl));
  const present = new Map(((await response.json()) as any[]).map((each) => [each.verification_id, each]));
  expect(rows.map((row) => row.verification_id)).toContain(HALFWAY);
  for (const { verification_id, status, sub_status } of rows) {
    expect({ verification_id, status, sub_status }).toEqual({
      verification_id,
      status: present.get(verification_id)?.status,
      sub_status: present.get(verification_id)?.sub_status,
    });
  }
}
