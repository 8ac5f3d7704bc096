/** `npm run audit`: exports how far the audit chains have come, and verifies them. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Database } from '../db/client.ts';
import type { Sealer } from '../db/sealing.ts';
import type { AuditKeys } from '../domain/audit.ts';
import { readArchive } from '../services/archive-file.ts';
import { type ExportedHeads, exportHeads, readHeads } from '../services/audit-heads.ts';
import { verifyArchive, verifyAudit } from '../services/verify-audit.ts';
import { openDatabase } from './open-database.ts';
import { runCommand } from './run-command.ts';

const USAGE = `npm run audit -- export [--file F]      the heads of all chains; keep them where the database's owner cannot write
npm run audit -- verify [--against F]   recomputes the chains; against an export it also finds what was cut off
       … --archive A                    what retention moved to A as well; once for each archive`;

class UsageError extends Error {}

const print = (line: string) => process.stdout.write(`${line}\n`);

async function exportTo(file: string | undefined, db: Database, keys: AuditKeys): Promise<void> {
  if (!file) {
    for await (const line of exportHeads(db, keys, new Date())) process.stdout.write(line);
    return;
  }
  // An earlier export is never written over: it knows what a later one may no longer know.
  const handle = await open(file, 'wx', 0o600);
  try {
    let lines = 0;
    for await (const line of exportHeads(db, keys, new Date())) {
      await handle.appendFile(line);
      lines += 1;
    }
    await handle.sync();
    print(`${lines - 1} heads are in ${file}.`);
  } finally {
    await handle.close();
  }
}

/** The sessions of some archives; names what is wrong with them, and throws where a file is not what was written. */
async function verifyArchives(
  files: readonly string[],
  exported: ExportedHeads | null,
  sealer: Sealer,
  keys: AuditKeys,
): Promise<{ ids: ReadonlySet<string>; wrong: number }> {
  const ids = new Set<string>();
  let wrong = 0;
  for (const file of files) {
    const before = ids.size;
    const parts = { sealer, keys, heads: exported?.heads ?? null };
    const findings = await verifyArchive(parts, readArchive(file, keys), ids);
    for (const { sessionId, number, what } of findings)
      print(`WRONG  session ${sessionId}  row ${number}  ${what}  (${file})`);
    print(`${ids.size - before} sessions in ${file}; in ${findings.length} something is wrong.`);
    wrong += findings.length;
  }
  return { ids, wrong };
}

/** Whether nothing is wrong. */
async function verify(
  against: string | undefined,
  archives: readonly string[],
  db: Database,
  sealer: Sealer,
  keys: AuditKeys,
): Promise<boolean> {
  const exported = against
    ? await readHeads(createInterface({ input: createReadStream(against), crlfDelay: Infinity }), keys)
    : null;
  const archived = await verifyArchives(archives, exported, sealer, keys);
  const onProgress = (sessions: number) => process.stderr.write(`\r${sessions} sessions`);
  const heads = exported?.heads ?? null;
  const { findings, ...counts } = await verifyAudit({
    ...{ db, sealer, keys, heads, onProgress },
    elsewhere: archived.ids,
  });
  process.stderr.write('\n');

  for (const { sessionId, number, what } of findings)
    print(`WRONG  session ${sessionId}  row ${number}  ${what}`);
  print(
    `${counts.entries} entries of ${counts.sessions} sessions; in ${findings.length} sessions something is wrong.`,
  );
  if (counts.adopted > 0)
    print(
      `${counts.adopted} chains begin with what stood when chains were introduced: no more is proven of it.`,
    );
  if (counts.erased > 0)
    print(`${counts.erased} texts were erased: that they were there is all that is left.`);
  if (exported)
    print(
      `${counts.unanchored} entries are unanchored: recorded after the export of ${exported.exportedAt}, which says nothing of them.`,
    );
  else print('Without --against nobody can tell whether the end of a chain was cut off.');
  return findings.length === 0 && archived.wrong === 0;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      file: { type: 'string' },
      against: { type: 'string' },
      archive: { type: 'string', multiple: true, default: [] },
    },
  });
  const [verb, ...rest] = positionals;
  if ((verb !== 'export' && verb !== 'verify') || rest.length > 0) throw new UsageError(USAGE);
  const { db, sealer, auditKeys, close } = await openDatabase();
  try {
    if (verb === 'export') await exportTo(values.file, db, auditKeys);
    else if (!(await verify(values.against, values.archive, db, sealer, auditKeys))) process.exitCode = 1;
  } finally {
    await close();
  }
}

await runCommand(main);
