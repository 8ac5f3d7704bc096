/** `npm run retention` archives a session completely or not at all; clients with older cursors must start over. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import pg from 'pg';
import { expect, test } from 'vitest';
import { settled, staffOf } from '../harness/acting.ts';
import { emptyFolder, endedLongAgo, environmentOf, phoneOf, run } from '../harness/archives.ts';
import { atTheEnd, bootGateway, eventually } from '../harness/gateway.ts';
import { everyRow, webhooksSettled } from '../harness/rows.ts';

const sessionsIn = async (file: string): Promise<any[]> =>
  gunzipSync(await readFile(file))
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter((line) => line.session);

const transitionsAfter = `subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence } }`;
const FEED = `subscription ($after: String) { feed(after: $after) { __typename
  ... on FeedReset { cursor } ... on Heartbeat { cursor } ... on StatusTransition { sequence session { verificationId } } } }`;
const LIVE = `subscription ($id: ID!, $after: String) { sessionLive(sessionId: $id, after: $after) { __typename } }`;

test("a killed npm run retention loses no session: the next run completes the killed run's file and archives each other session once", {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  const [first, second, third] = [
    await endedLongAgo(gateway, 'ended.1'),
    await endedLongAgo(gateway, 'ended.2'),
    await endedLongAgo(gateway, 'ended.3'),
  ];
  await gateway.start('alive.1');
  await webhooksSettled(gateway.database);
  const folder = await emptyFolder();
  const ids = async () =>
    (await gateway.database.query('select verification_id as id from vkyc_session order by 1')).rows.map(
      (row) => row.id,
    );
  const held = new pg.Client({ connectionString: gateway.databaseUrl });
  await held.connect();
  atTheEnd(() => held.end());
  await held.query('begin');
  await held.query('select from feed where session_id = $1 for update', [second.key]);

  expect(await run(gateway, 'retention')).toMatch(/^3 sessions ended before \d{4}-.*\nNo session was moved/s);
  expect(await run(gateway, 'retention', '--to', folder, '--dry-run')).toContain('No session was moved');
  expect(await readdir(folder)).toEqual([]);
  const script = ['.build/commands/retention.js', '--to', folder, '--batch', '1'];
  const killed = spawn('node', script, { env: environmentOf(gateway), stdio: 'ignore' });
  await eventually(async () => {
    const { rowCount } = await gateway.database.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'delete from "feed"%'`,
    );
    return rowCount === 1;
  });
  await expect(run(gateway, 'retention', '--to', folder)).rejects.toThrow(
    'Another retention run holds the advisory lock',
  );
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  await held.query('rollback');
  expect(await ids()).toEqual(['alive.1', 'ended.2', 'ended.3']);
  const [broken] = await readdir(folder);
  expect(broken).toMatch(/\.partial$/);
  const partial = join(folder, broken as string);
  expect((await sessionsIn(partial)).map(({ session }) => session.id)).toEqual([first.key, second.key]);
  // Simulates a machine that crashed while the second session was written.
  await truncate(partial, (await stat(partial)).size - 10);
  const rerun = await eventually(() =>
    run(gateway, 'retention', '--to', folder).catch((error: Error) => {
      if (!error.message.includes('Another retention run')) throw error;
      return null;
    }),
  );

  expect(await ids()).toEqual(['alive.1']);
  const files = (await readdir(folder)).sort();
  expect(files).toHaveLength(2);
  const archived = await Promise.all(files.map((file) => sessionsIn(join(folder, file))));
  expect(archived.map((sessions) => sessions.map(({ session }) => session.id))).toEqual([
    [first.key],
    [second.key, third.key],
  ]);
  expect(rerun).toContain(`Moved 1 sessions to ${files[0]}.\nMoved 2 sessions to ${files[1]}.`);
  const [[one]] = archived as [any[]];
  expect(one).toMatchObject({
    transitions: { length: 6 },
    meetings: { length: 1 },
    reviews: { length: 2 },
    feed: { length: 6 },
    sightings: { length: 2 },
  });
  expect(JSON.stringify(archived)).not.toMatch(/her son|her photo/);
  const rows = await everyRow(gateway.database);
  const { rows: left } = await gateway.database.query(
    'select file from archived_session order by session_id',
  );
  expect(left.map(({ file }) => file)).toEqual([files[0], files[1], files[1]]);
  for (const table of ['status_transition', 'audit_entry', 'meeting', 'review', 'feed', 'provider_sighting'])
    expect(
      (await gateway.database.query(`select from ${table} where session_id = $1`, [first.key])).rowCount,
    ).toBe(0);
  expect(rows).toContain('alive.1');
});

test('a note, an escalation and its resolution after the end of a session do not postpone its archiving, and are archived with it', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  const { olga } = await staffOf(gateway);
  const { id, key } = await endedLongAgo(gateway, 'noted.1');
  await gateway.start('alive.1');
  const folder = await emptyFolder();
  await olga.act('addNote', id, { note: 'She asked for a copy of her file.' });
  await olga.act('escalateSession', id, { reason: 'OTHER', note: 'Send her the file.' });
  await settled(gateway);

  expect(await run(gateway, 'retention')).toMatch(/^0 sessions ended before/);
  await olga.act('resolveEscalation', id, { note: 'Sent.' });
  await gateway.start('alive.2');
  await webhooksSettled(gateway.database);
  const moved = await run(gateway, 'retention', '--to', folder);

  expect(moved).toContain('Moved 1 sessions');
  const [file] = await readdir(folder);
  const [archived] = await sessionsIn(join(folder, file as string));
  expect(archived.session.id).toBe(key);
  expect(archived.annotations.map(({ kind }: { kind: string }) => kind)).toEqual([
    'NOTE',
    'ESCALATION',
    'ESCALATION_RESOLUTION',
  ]);
  const { rows } = await gateway.database.query(
    'select ended_at < archived_at - interval $$2000 days$$ as long_ago from archived_session',
  );
  expect(rows).toEqual([{ long_ago: true }]);
  expect(await run(gateway, 'audit', 'verify', '--archive', join(folder, file as string))).not.toMatch(
    /edited|broken/,
  );
});

test('a subscription to an archived session, or to all sessions after a cursor older than archived transitions, gets CURSOR_EXPIRED or a FeedReset; others resume', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  const before = await gateway.start('alive.before');
  const gone = await endedLongAgo(gateway, 'ended.1');
  const after = await gateway.start('alive.after');
  await webhooksSettled(gateway.database);
  const feedEnd = (await gateway.graphql('{ feedCursor }')).data.feedCursor;
  const meeting = (
    await gateway.graphql(`query ($id: ID!) { session(id: $id) { meetings(first: 1) { nodes { id } } } }`, {
      id: gone.id,
    })
  ).data.session.meetings.nodes[0].id;
  expect(await run(gateway, 'retention', '--to', await emptyFolder())).toContain('Moved 1 sessions to');

  const { data } = await gateway.graphql(
    `query ($id: ID!, $ids: [ID!]!) { node(id: $id) { id } session(id: $id) { id } nodes(ids: $ids) { id }
      sessionByVerificationId(verificationId: "ended.1") { id } sessions(first: 9) { nodes { verificationId } } }`,
    { id: gone.id, ids: [gone.id, meeting, before.id] },
  );
  expect(data).toEqual({
    ...{ node: null, session: null, sessionByVerificationId: null, nodes: [null, null, { id: before.id }] },
    sessions: { nodes: [{ verificationId: 'alive.after' }, { verificationId: 'alive.before' }] },
  });
  for (const over of [gateway.subscribe, gateway.stream]) {
    const answerTo = (query: string, variables: Record<string, unknown>) => over(query, variables).next();
    const expired = { extensions: { code: 'CURSOR_EXPIRED' } };
    for (const query of [transitionsAfter, LIVE])
      await expect(answerTo(query, { id: gone.id, after: gone.startCursor })).rejects.toMatchObject(expired);
    for (const { startCursor } of [gone, before]) {
      await expect(answerTo(transitionsAfter, { after: startCursor })).rejects.toMatchObject(expired);
      expect(await answerTo(FEED, { after: startCursor })).toMatchObject({ __typename: 'FeedReset' });
    }
    const forbidden = { extensions: { code: 'BAD_USER_INPUT' } };
    for (const [name, refusal] of [
      ['ended.1', expired],
      ['alive.after', forbidden],
    ] as const) {
      const authorization = `Bearer ${await gateway.token({ sub: 'c', roles: ['CUSTOMER'], verification_ids: [name] })}`;
      const variables = { id: gone.id, after: gone.startCursor };
      await expect(over(LIVE, variables, { authorization }).next()).rejects.toMatchObject(refusal);
    }
    await expect(answerTo(transitionsAfter, { id: gone.id, after: 'none of ours' })).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
    });
    expect(await answerTo(transitionsAfter, { id: before.id, after: before.startCursor })).toEqual({
      sequence: 1,
    });
    expect(await answerTo(transitionsAfter, { after: after.startCursor })).toEqual({ sequence: 1 });
  }
  const floor = gateway.subscribe(FEED, { after: feedEnd });
  expect(await floor.next()).toMatchObject({ __typename: 'Heartbeat' });
  await gateway.advance('alive.before');
  expect(await floor.next()).toMatchObject({ sequence: 2, session: { verificationId: 'alive.before' } });
  const { rows } = await gateway.database.query('select position::int from feed order by position');
  expect(rows.map(({ position }) => position)).toEqual([1, 8, 9]);
});

test('an archived session cannot be started again, and npm run erase names the archives with the person’s data', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  await endedLongAgo(gateway, 'ended.1');
  await gateway.start('alive.1');
  await webhooksSettled(gateway.database);
  const folder = await emptyFolder();
  await run(gateway, 'retention', '--to', folder);
  const [file] = await readdir(folder);

  const { data } = await gateway.graphql(
    `mutation ($input: StartSessionInput!) { startSession(input: $input) { ... on MutationError { code message } } }`,
    { input: { verificationId: 'ended.1', user: { userId: 'u-ended.1', phone: phoneOf('ended.1') } } },
  );
  await gateway.webhook({
    event_time: new Date(Date.now() + 120_000).toISOString(),
    data: {
      verification_id: 'ended.1',
      user_id: 'u-ended.1',
      status: 'VIDEO_CALL',
      sub_status: 'USER_ENDED_CALL',
    },
  });
  await webhooksSettled(gateway.database);

  expect(data.startSession).toMatchObject({
    code: 'VERIFICATION_ID_TAKEN',
    message: expect.stringContaining('archived'),
  });
  const { rows } = await gateway.database.query('select verification_id as id from vkyc_session');
  expect(rows).toEqual([{ id: 'alive.1' }]);
  const erased = await run(gateway, 'erase', '--user', 'u-ended.1');
  expect(erased).toContain(
    `Archives contain sessions of this person, with links and texts encrypted with DATA_KEYS: ${file}.`,
  );
  const { rows: inbox } = await gateway.database.query(
    `select from webhook_inbox where verification_id = 'ended.1'`,
  );
  expect(inbox).toEqual([]);
});

test('after archiving, `npm run audit -- verify --against` needs the archive too, and refuses an altered or truncated archive', {
  timeout: 60_000,
}, async () => {
  const gateway = await bootGateway();
  const gone = await endedLongAgo(gateway, 'ended.1');
  const forged = await endedLongAgo(gateway, 'ended.2');
  await gateway.start('alive.1');
  await webhooksSettled(gateway.database);
  const folder = await emptyFolder();
  const heads = join(folder, 'heads');
  await run(gateway, 'audit', 'export', '--file', heads);
  await gateway.database.query(`update review set decision = 'APPROVED' where session_id = $1`, [forged.key]);
  const archives = await emptyFolder();
  await expect(run(gateway, 'retention', '--to', archives)).rejects.toMatchObject({
    stdout: expect.stringMatching(
      new RegExp(`STAYS {2}session ${forged.key} .*review .* was edited: decision`),
    ),
  });
  await gateway.database.query(
    `update review set decision = 'REJECTED' where session_id = $1 and stage = 'AUDITOR'`,
    [forged.key],
  );
  const archive = join(archives, (await readdir(archives))[0] as string);

  expect(await run(gateway, 'audit', 'verify')).toContain('0 sessions have errors');
  await expect(run(gateway, 'audit', 'verify', '--against', heads)).rejects.toMatchObject({
    stdout: expect.stringContaining(`WRONG  session ${gone.key}  row 1  removed`),
  });
  const proven = await run(gateway, 'audit', 'verify', '--against', heads, '--archive', archive);
  expect(proven).toContain(`Verified 1 sessions in ${archive}; 0 of them have errors.`);

  const bytes = await readFile(archive);
  const text = gunzipSync(bytes).toString('utf8');
  const touched = join(archives, 'touched');
  const refusals: [Buffer | string, string][] = [
    [text.replace('"REJECTED"', '"APPROVED"'), 'was altered'],
    [text.slice(0, text.indexOf('\n') + 1), 'is truncated'],
    [text.slice(text.indexOf('\n') + 1), 'was altered'],
  ];
  for (const [content, why] of refusals) {
    await writeFile(touched, gzipSync(content));
    await expect(run(gateway, 'audit', 'verify', '--archive', touched), why).rejects.toMatchObject({
      stderr: expect.stringContaining(why),
    });
  }
});

test('archiving a session ends its live subscriptions with CURSOR_EXPIRED, and is not taken for a rewound log', async () => {
  const first = await bootGateway();
  const session = await endedLongAgo(first, 'ended.1');
  // Starts another session, because the session with the newest transition of the feed is never archived.
  await first.start('alive.1');
  await webhooksSettled(first.database);
  // A process that began after the dates were shifted: to the first one, the shift looks like a rewind of the log.
  const gateway = await bootGateway({ database: first.databaseUrl });
  const streams = [
    gateway.subscribe(LIVE, { id: session.id }),
    gateway.stream(LIVE, { id: session.id }),
    gateway.subscribe(transitionsAfter, { id: session.id, after: session.startCursor }),
  ];
  await Promise.all(streams.map((stream) => stream.next()));

  await run(gateway, 'retention', '--to', await emptyFolder());

  for (const stream of streams) {
    const end = async (): Promise<string> => {
      for (;;) await stream.next();
    };
    await expect(end()).rejects.toMatchObject({ extensions: { code: 'CURSOR_EXPIRED' } });
  }
  expect(gateway.logs.filter((line) => line.includes('database lost transitions'))).toEqual([]);
});
