/**
 * Rolling deploy under traffic: the last release and the current release share a database during and after the
 * migration.
 */
import type pg from 'pg';
import { expect } from 'vitest';
import { createSeededRandom } from '../../src/sandbox/seeded-random.ts';
import { auditOf } from '../harness/audit.ts';
import { buildLastRelease, releaseTest } from '../harness/last-release.ts';
import { expectFeedOfLog, expectFolds } from '../harness/log.ts';
import { burstOf, newsOf, sendUntilTaken } from '../harness/news.ts';
import { emptyDatabase, fillWithSessions } from '../harness/old-database.ts';
import { accountOf, everyoneHasRead, inWords, readLog } from './account.ts';
import { balanceOf, enter } from './book.ts';
import { connectionsOf, everyoneIsConnected, Names, type Subscriber, subscribe } from './subscribers.ts';
import { type Done, startTraffic } from './traffic.ts';
import { pause } from './trouble.ts';
import { oneOf, wishOf } from './wishes.ts';
import { allRecorded, fetchFeedCursor, startWorld } from './world.ts';

const SEED = process.env.CHAOS_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const SUBSCRIBERS = 120;
const SESSIONS = 40;
/** Number of existing sessions: so many that the migration takes a while. */
const OLD_SESSIONS = 20_000;
const PHASE_MS = 6_000;
const say = (line: string) => process.stderr.write(`${line}\n`);

releaseTest(
  'in a rolling deploy from the last release, subscribers get each transition once and in order, no acknowledged work is lost, and no answer is wrong',
  async () => {
    say(`upgrade, CHAOS_SEED=${SEED}`);
    const [script, { url, client }] = await Promise.all([buildLastRelease(), emptyDatabase()]);
    const world = await startWorld({
      ...{ seed: SEED, gateways: 1, room: 1, sessions: SESSIONS, database: url, script },
      environment: { SHUTDOWN_SECONDS: '2' },
      // Answers polls with 404: if the calls failed, the gateway's circuit breaker would open, and the gateway would
      // refuse starts.
      whenAsked: { status: 404, body: '{"type":"not_found_error","code":"referenceId_not_found"}' },
    });
    const { database, sessions, proxy, gateways } = world;
    await fillWithSessions(client, OLD_SESSIONS);
    const random = createSeededRandom('upgrade', SEED);
    const names = new Names();
    const feedEnd = await fetchFeedCursor(world);
    // All subscribers begin with cursors that the last release issued, whichever release serves them.
    const join = (): Promise<Subscriber> => {
      const wish = wishOf(sessions, random);
      const { startCursor } = wish.session ?? oneOf(sessions, random);
      const after = wish.session || random.chance(0.5) ? startCursor : feedEnd;
      return subscribe({ url: proxy.url, wish, after, names });
    };
    const subscribers = await Promise.all(Array.from({ length: SUBSCRIBERS }, join));
    await everyoneIsConnected(subscribers);
    const { done, end } = startTraffic(world, { seed: SEED, newsEach: 60, paceMs: 60 });
    await pause(PHASE_MS);

    const before = count(done);
    const migration = await world.join().present();
    const during = count(done);
    // New subscribers connect to either release; existing subscribers stay connected to the last release.
    subscribers.push(...(await Promise.all(Array.from({ length: SUBSCRIBERS / 3 }, join))));
    await pause(PHASE_MS);
    // About half of the subscribers reconnect to the other release, with cursors issued by the previous one.
    proxy.cutAll();
    await everyoneIsConnected(subscribers);
    await pause(PHASE_MS);
    proxy.cutAll();
    await everyoneIsConnected(subscribers);
    const beside = count(done);
    const old = await gateways[0]?.present();
    expect(await old?.end('SIGTERM')).toBe(0);
    await pause(PHASE_MS / 2);
    await end();
    await allRecorded(database);

    // Makes all subscribers resume once more, then adds transitions: a subscriber with a wrong cursor now misses or
    // repeats a transition.
    proxy.cutAll();
    const last = sessions.flatMap(({ verificationId }) => newsOf(verificationId, random, 61).slice(-1));
    for (const body of burstOf(last, random)) await sendUntilTaken(body, world.reachable);
    await allRecorded(database);
    const log = await readLog(database, names);
    await everyoneHasRead(subscribers, log);

    const account = accountOf(subscribers, log, names);
    const lost = await missingFrom(database, done);
    // Counts as faults the migration next to the last release, the stop of that release, and the cuts.
    const faults = 2 + proxy.cuts;
    const requests = count(done) + done.refused + connectionsOf(subscribers);
    enter('upgrade', balanceOf(account, { requests, faults, lost: lost.length, wrong: done.wrong.length }));
    say(
      `ready next to the last release after ${(migration.readyInMs / 1000).toFixed(1)} s, with ${OLD_SESSIONS} old sessions`,
    );
    say(
      `requests served by the last release ${before}, during the migration ${during - before}, by both releases ${beside - during}`,
    );
    say(`${log.entries.length} transitions, ${inWords(account)}`);
    say(
      `${done.news.length} webhooks, ${done.meetings.length} meetings, ${done.started.length} starts, ${done.refused} refusals, ${done.looks} looks, ${done.wrong.length} wrong`,
    );
    expect(account.complaints, `CHAOS_SEED=${SEED}`).toEqual([]);
    expect(done.wrong).toEqual([]);
    expect(lost).toEqual([]);
    for (const work of [before, during - before, beside - during]) expect(work).toBeGreaterThan(20);
    await database.query(
      `delete from status_transition where session_id in (select id from vkyc_session where verification_id like 'old.%')`,
    );
    await database.query(`delete from vkyc_session where verification_id like 'old.%'`);
    await expectFolds(database);
    await expectFeedOfLog(database);
    const { rows } = await database.query(`select id::text from vkyc_session`);
    const ours = new Set(rows.map((row) => row.id));
    const { findings } = await auditOf(url).verify();
    expect(findings.filter(({ sessionId }) => ours.has(sessionId))).toEqual([]);
  },
  180_000,
);

const count = ({ news, meetings, started, looks }: Done): number =>
  news.length + meetings.length + started.length + looks;

/** Returns acknowledged webhooks, meetings and starts that the database lacks or has several times. */
async function missingFrom(database: pg.Pool, { news, meetings, started }: Done): Promise<string[]> {
  const found = async (statement: string): Promise<Map<string, number>> => {
    const { rows } = await database.query(
      `select name, count(*)::int as times from (${statement}) each group by 1`,
    );
    return new Map(rows.map((row) => [row.name, row.times]));
  };
  const observations = await found(
    `select concat_ws(' ', verification_id, p.raw_status, p.raw_sub_status, to_char(event_time at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) as name
     from provider_sighting p join vkyc_session s on s.id = p.session_id`,
  );
  const booked = await found('select id::text as name from meeting');
  const begun = await found('select verification_id as name from vkyc_session');
  const once = (there: Map<string, number>, wanted: readonly string[]) =>
    [...new Set(wanted)].filter((name) => there.get(name) !== 1);
  return [
    ...once(
      observations,
      news.map((each) => [each.verificationId, each.status, each.subStatus, each.eventTime].join(' ')),
    ),
    ...once(booked, meetings),
    ...once(begun, started),
  ];
}
