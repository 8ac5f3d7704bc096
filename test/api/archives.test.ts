/** Session archives of every format version stay readable: `test/fixtures/archives` has an archive of each version. */
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { getTableColumns } from 'drizzle-orm';
import { expect, test } from 'vitest';
import {
  ARCHIVED_TABLES,
  type ArchivedSessionData,
  fromJsonValues,
  toJsonValues,
} from '../../src/db/retention/archive.ts';
import { logIdentity, sessions } from '../../src/db/schema/tables.ts';
import { AuditKeyring } from '../../src/domain/audit.ts';
import {
  ARCHIVE_FORMAT_VERSION,
  createArchiveMac,
  readVerifiedArchive,
} from '../../src/services/retention/archive-file.ts';
import { emptyFolder, endedLongAgo, run } from '../harness/archives.ts';
import { makeOlder } from '../harness/audit.ts';
import { AUDIT_KEYS, bootGateway, freshDatabase } from '../harness/gateway.ts';
import { webhooksSettled } from '../harness/rows.ts';

const FIXTURES = 'test/fixtures/archives';
const VERSIONS = Array.from({ length: ARCHIVE_FORMAT_VERSION }, (_, index) => index + 1);
const TABLES = { session: sessions, ...ARCHIVED_TABLES };
const fixtureOf = (version: number) => join(FIXTURES, `version-${version}.jsonl.gz`);

const [keyId, key] = AUDIT_KEYS.split(':') as [string, string];
const keys = new AuditKeyring([{ id: keyId, key: Buffer.from(key, 'base64') }]);

const unpack = async (file: string): Promise<any[]> =>
  gunzipSync(await readFile(file))
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Returns the session lines of an archive, without its last line, which has the MAC of the others. */
const unseal = async (file: string) => (await unpack(file)).slice(0, -1);

const pack = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`);

/** Writes an archive with these session lines and a valid MAC, like an archive of an earlier or later release. */
async function seal(lines: readonly object[], file: string): Promise<void> {
  const texts = pack(lines);
  const sealing = createArchiveMac(keys, new Date());
  for (const text of texts) sealing.add(text);
  await writeFile(file, gzipSync([...texts, sealing.line()].join('')));
}

const ADD_NOTE = 'mutation ($input: AddNoteInput!) { addNote(input: $input) { __typename } }';
const LABEL = 'mutation ($input: LabelSessionInput!) { labelSession(input: $input) { __typename } }';
const SEVEN_YEARS = 7 * 365 + 2;

/** Archives two sessions that ended long ago, with the current release; returns the file of the archive. */
async function archiveOfNow(): Promise<string> {
  const gateway = await bootGateway();
  const noted = await endedLongAgo(gateway, 'ended.1');
  await endedLongAgo(gateway, 'ended.2');
  const { data } = await gateway.graphql(ADD_NOTE, {
    input: { sessionId: noted.id, note: 'She called.', idempotencyKey: 'note' },
  });
  expect(data.addNote.__typename).toBe('AddNoteSuccess');
  const labelled = await gateway.graphql(LABEL, {
    input: { sessionId: noted.id, addTags: ['branch-7'], idempotencyKey: 'label' },
  });
  expect(labelled.data.labelSession.__typename).toBe('LabelSessionSuccess');
  await makeOlder(gateway, noted.key, SEVEN_YEARS);
  await gateway.start('alive.1');
  await webhooksSettled(gateway.database);
  const folder = await emptyFolder();
  await run(gateway, 'retention', '--to', folder);
  const [file] = await readdir(folder);
  return join(folder, file as string);
}

/** Returns, by table, the names of the columns that its rows have in an archive. */
const columnsIn = (lines: readonly any[]) =>
  Object.fromEntries(
    Object.keys(TABLES).map((name) => {
      const [row = {}] = lines.flatMap((line) => line[name]);
      return [name, Object.keys(row).sort()];
    }),
  );

test('an archive written by this release has exactly the columns of the current format version', {
  timeout: 60_000,
}, async () => {
  const archive = await archiveOfNow();
  if (process.env.WRITE_ARCHIVE_FIXTURE === '1') await cp(archive, fixtureOf(ARCHIVE_FORMAT_VERSION));

  const [written, kept] = [await unseal(archive), await unseal(fixtureOf(ARCHIVE_FORMAT_VERSION))];

  expect(written.map(({ version }) => version)).toEqual([ARCHIVE_FORMAT_VERSION, ARCHIVE_FORMAT_VERSION]);
  expect(
    columnsIn(written),
    `The columns of archived tables are not those of version ${ARCHIVE_FORMAT_VERSION}. Raise ARCHIVE_FORMAT_VERSION in src/services/retention/archive-file.ts, then write its fixture: WRITE_ARCHIVE_FIXTURE=1 npx vitest run test/api/archives.test.ts`,
  ).toEqual(columnsIn(kept));
});

test('`npm run audit -- verify` accepts an archive of every format version', async () => {
  const archives = VERSIONS.flatMap((version) => ['--archive', fixtureOf(version)]);

  const printed = await run({ databaseUrl: await freshDatabase() }, 'audit', 'verify', ...archives);

  for (const version of VERSIONS)
    expect(printed).toContain(`Verified 2 sessions in ${fixtureOf(version)}; 0 of them have errors.`);
});

test('columns and tables that an older archive lacks are read as null or default, and `npm run audit -- verify` accepts the archive', async () => {
  const lines = await unseal(fixtureOf(1));
  for (const line of lines) {
    delete line.session.replacesId;
    delete line.sightings;
    for (const row of line.transitions) delete row.traceparent;
  }
  const archive = join(await emptyFolder(), 'older.jsonl.gz');
  await seal(lines, archive);

  const archives: ArchivedSessionData[] = [];
  for await (const read of readVerifiedArchive(archive, keys)) archives.push(read);
  const printed = await run({ databaseUrl: await freshDatabase() }, 'audit', 'verify', '--archive', archive);

  expect(printed).toContain(`Verified 2 sessions in ${archive}; 0 of them have errors.`);
  for (const { session, transitions, sightings } of archives) {
    expect(session).toMatchObject({ provider: 'cashfree', replacesId: null, subStatus: 'AUDITOR_REJECTED' });
    expect(transitions.map(({ traceparent }) => traceparent)).toEqual(Array(6).fill(null));
    expect(sightings).toEqual([]);
  }
  expect(fromJsonValues(logIdentity, { epoch: 2, cursorKey: 'AQI=' })).toEqual({
    oldCursorsUntil: null,
    epoch: 2,
    cursorKey: Buffer.from([1, 2]),
    archivedPosition: 0,
  });
});

test('every row of an archive converts to a table row and back without loss', async () => {
  for (const line of await unseal(fixtureOf(ARCHIVE_FORMAT_VERSION)))
    for (const [name, table] of Object.entries(TABLES))
      for (const plain of [line[name]].flat()) {
        const row = fromJsonValues(table, plain);

        expect(toJsonValues(row)).toEqual(plain);
        expect(Object.keys(row)).toEqual(Object.keys(getTableColumns(table)));
      }
});

test('npm run retention completes an archive that a crash left half-written (.partial), of every format version', {
  timeout: 60_000,
}, async () => {
  const folder = await emptyFolder();
  const names = VERSIONS.map((version) => `sessions-${version}.jsonl.gz`);
  const archives = names.map((name) => join(folder, name));
  const lines = await Promise.all(VERSIONS.map(async (version) => pack(await unseal(fixtureOf(version)))));
  // Simulates a crash of the machine while the second session was written.
  for (const [index, [first, second]] of (lines as [string, string][]).entries())
    await writeFile(`${archives[index]}.partial`, gzipSync(`${first}${second.slice(0, 500)}`));
  const databaseUrl = await freshDatabase();

  const printed = await run({ databaseUrl }, 'retention', '--to', folder);

  expect((await readdir(folder)).sort()).toEqual(names);
  for (const [index, archive] of archives.entries()) {
    expect(printed).toContain(`Moved 1 sessions to ${names[index]}.`);
    expect(pack(await unseal(archive))).toEqual([lines[index]?.[0]]);
  }
  const flags = archives.flatMap((archive) => ['--archive', archive]);
  const verified = await run({ databaseUrl }, 'audit', 'verify', ...flags);
  for (const archive of archives) expect(verified).toContain(`Verified 1 sessions in ${archive}; 0 of`);
});

test('npm run retention refuses a partial archive with an unreadable line in its middle, and keeps the file', async () => {
  const folder = await emptyFolder();
  const [first, second] = pack(await unseal(fixtureOf(ARCHIVE_FORMAT_VERSION))) as [string, string];
  await writeFile(join(folder, 'odd.jsonl.gz.partial'), gzipSync(`${first.slice(0, 500)}\n${second}`));

  await expect(
    run({ databaseUrl: await freshDatabase() }, 'retention', '--to', folder),
  ).rejects.toMatchObject({ stderr: expect.stringContaining('is damaged: a line is not a session') });

  expect(await readdir(folder)).toContain('odd.jsonl.gz.partial');
});

test('npm run audit and retention refuse an archive of a later release, say which release to use, and leave its files unchanged', async () => {
  const folder = await emptyFolder();
  const later = (await unseal(fixtureOf(1))).map((line) => ({
    version: ARCHIVE_FORMAT_VERSION + 1,
    ...line,
  }));
  await seal(later, join(folder, 'later.jsonl.gz'));
  await writeFile(join(folder, 'broken.jsonl.gz.partial'), gzipSync(pack(later).join('')));
  const before = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))));
  const databaseUrl = await freshDatabase();
  const refusal = {
    stderr: expect.stringContaining(
      `was written by a later release (version ${ARCHIVE_FORMAT_VERSION + 1} of the format; this release reads up to ${ARCHIVE_FORMAT_VERSION}). Run the command with that release, or with a later one.`,
    ),
  };

  const verified = run({ databaseUrl }, 'audit', 'verify', '--archive', join(folder, 'later.jsonl.gz'));
  await expect(verified).rejects.toMatchObject(refusal);
  await expect(run({ databaseUrl }, 'retention', '--to', folder)).rejects.toMatchObject(refusal);

  const names = ['broken.jsonl.gz.partial', 'later.jsonl.gz'];
  expect((await readdir(folder)).filter((name) => !name.endsWith('.mending')).sort()).toEqual(names);
  expect(await Promise.all(names.map((name) => readFile(join(folder, name))))).toEqual(before);
});
