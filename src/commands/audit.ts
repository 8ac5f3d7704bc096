/**
 * `npm run audit`: exports the heads (newest entries) of the audit chains, and verifies the chains. For
 * sessions of earlier releases, `bind` completes chains and `adopt` begins them, in the name of an operator.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Database } from '../db/connection/client.ts';
import { countArchivedSessionsByFile, findArchivedSessionIdsStillPresent } from '../db/retention/archive.ts';
import type { AuditKeyring } from '../domain/audit.ts';
import { systemClock } from '../domain/ports.ts';
import { adoptSessions, type SessionAdoptionResult } from '../services/audit/adopt-sessions.ts';
import { exportAuditHeads, type HeadsExport, parseHeadsExport } from '../services/audit/audit-heads.ts';
import { bindSessionsToChains } from '../services/audit/bind-sessions.ts';
import { verifyArchive } from '../services/audit/verify-archives.ts';
import { verifyAuditChains } from '../services/audit/verify-audit.ts';
import { verifyReadLogChains } from '../services/audit/verify-reads.ts';
import { readVerifiedArchive } from '../services/retention/archive-file.ts';
import { type CommandDatabase, openCommandDatabase } from './open-database.ts';
import { runCommand } from './run-command.ts';

const USAGE = `npm run audit -- export [--file F]      exports the heads of all chains; store them where the database's owner cannot write
npm run audit -- verify [--against F]   recomputes the chains; with an export F, also finds removed ends of chains
       … --archive A                    also verifies the sessions that retention moved to A; repeatable
npm run audit -- bind --by NAME         adds the identity of their session to chains of an earlier release
       … [--against F] [--session ID]   and signs the current details of session ID
npm run audit -- adopt --by NAME        begins chains for sessions that are older than audit chains
       … [--against F]                  except for sessions that had a chain when F was exported`;

class UsageError extends Error {}

const print = (line: string) => process.stdout.write(`${line}\n`);

async function exportTo(file: string | undefined, db: Database, keys: AuditKeyring): Promise<void> {
  if (!file) {
    for await (const line of exportAuditHeads(db, keys, new Date())) process.stdout.write(line);
    return;
  }
  // Never overwrites an existing export (`wx`), because that export may name entries which were removed from
  // the database since.
  const handle = await open(file, 'wx', 0o600);
  try {
    let lines = 0;
    for await (const line of exportAuditHeads(db, keys, new Date())) {
      await handle.appendFile(line);
      lines += 1;
    }
    await handle.sync();
    print(`Exported ${lines - 1} heads to ${file}.`);
  } finally {
    await handle.close();
  }
}

/**
 * Verifies archive files and prints what is wrong. Returns the ids of the archived sessions and the number of
 * errors.
 * @throws UnusableArchiveError if a file was altered or truncated
 */
async function verifyArchives(
  files: readonly string[],
  exported: HeadsExport | null,
  { db, sealer, auditKeys: keys }: CommandDatabase,
): Promise<{ ids: ReadonlySet<string>; wrong: number }> {
  const ids = new Set<string>();
  let wrong = 0;
  for (const file of files) {
    const before = ids.size;
    const dependencies = { db, sealer, keys, heads: exported?.heads ?? null };
    const archive = { file: basename(file), sessions: readVerifiedArchive(file, keys) };
    const findings = await verifyArchive(dependencies, archive, ids);
    for (const { sessionId, number, what } of findings)
      print(`WRONG  session ${sessionId}  row ${number}  ${what}  (${file})`);
    print(`Verified ${ids.size - before} sessions in ${file}; ${findings.length} of them have errors.`);
    wrong += findings.length;
  }
  for (const sessionId of await findArchivedSessionIdsStillPresent(db)) {
    print(`WRONG  session ${sessionId}  row 1  listed in archived_session, but still in the database`);
    wrong += 1;
  }
  for (const [file, count] of await countArchivedSessionsByFile(db))
    if (!files.some((given) => basename(given) === file))
      print(
        `${count} sessions are listed as archived in ${file} and were not verified: pass the file with --archive.`,
      );
  return { ids, wrong };
}

async function readExport(file: string | undefined, keys: AuditKeyring): Promise<HeadsExport | null> {
  if (file === undefined) return null;
  return parseHeadsExport(createInterface({ input: createReadStream(file), crlfDelay: Infinity }), keys);
}

/**
 * Verifies the log of reads of personal data and prints what is wrong. Returns whether the log has no error.
 */
async function verifyReadLog(
  exported: HeadsExport | null,
  { db, auditKeys }: CommandDatabase,
): Promise<boolean> {
  const { chained, unchained, findings } = await verifyReadLogChains(db, auditKeys, exported?.reads ?? null);
  for (const { chainId, number, what } of findings)
    print(`WRONG  read log  ${chainId === null ? '' : `chain ${chainId}  row ${number}  `}${what}`);
  print(`Verified ${chained} reads of personal data; ${findings.length} of their chains have errors.`);
  if (unchained > 0)
    print(`${unchained} reads were recorded by an earlier release without a chain and cannot be verified.`);
  return findings.length === 0;
}

/**
 * Verifies the audit chains, the archives and the read log, and prints what is wrong. Returns whether all of
 * them are free of errors.
 */
async function verify(
  against: string | undefined,
  archives: readonly string[],
  opened: CommandDatabase,
): Promise<boolean> {
  const { db, sealer, auditKeys: keys } = opened;
  const exported = await readExport(against, keys);
  const archived = await verifyArchives(archives, exported, opened);
  const onProgress = (sessions: number) => process.stderr.write(`\r${sessions} sessions`);
  const heads = exported?.heads ?? null;
  const { findings, ...counts } = await verifyAuditChains({
    ...{ db, sealer, keys, heads, onProgress },
    elsewhere: archived.ids,
  });
  process.stderr.write('\n');

  for (const { sessionId, number, what } of findings)
    print(`WRONG  session ${sessionId}  row ${number}  ${what}`);
  print(
    `Verified ${counts.entries} entries of ${counts.sessions} sessions; ${findings.length} sessions have errors.`,
  );
  if (counts.adopted > 0)
    print(
      `${counts.adopted} chains begin with the state at their adoption: nothing before that can be verified.`,
    );
  for (const [signer, count] of counts.signed) print(`${count} chains were ${signer}.`);
  if (counts.unbound > 0)
    print(
      `${counts.unbound} chains are unbound: they do not name their session. Run npm run audit -- bind --by NAME.`,
    );
  if (counts.erased > 0)
    print(`${counts.erased} texts were erased: only their commitments (salted hashes) are left.`);
  if (exported)
    print(
      `${counts.unanchored} entries are unanchored: they were recorded after the export of ${exported.exportedAt}, which cannot prove them.`,
    );
  else print('Without --against, a removed end of a chain cannot be detected.');
  const readsAreRight = await verifyReadLog(exported, opened);
  return findings.length === 0 && archived.wrong === 0 && readsAreRight;
}

/**
 * Adds the identity of their session to chains of earlier releases, which lack it. The operator `by` is
 * recorded as responsible. Returns false if a chain could not be bound.
 */
async function bindAll(
  by: string,
  against: string | undefined,
  named: readonly string[],
  { db, sealer, auditKeys: keys }: CommandDatabase,
): Promise<boolean> {
  const heads = (await readExport(against, keys))?.heads ?? null;
  let [bound, left] = [0, 0];
  const dependencies = { db, sealer, keys, clock: systemClock, by, heads, differing: new Set(named) };
  await bindSessionsToChains(dependencies, (sessionId, binding) => {
    if ('what' in binding) {
      left += 1;
      print(`${binding.kind}  session ${sessionId}  ${binding.what}`);
    } else bound += 1;
  });
  print(
    `Added the session's identity to ${bound} chains in the name of ${by}; ${left} chains were not bound.`,
  );
  if (left > 0) print('Check each session. If its current details are correct, name it with --session ID.');
  return left === 0;
}

const ADOPTIONS: Record<SessionAdoptionResult, string> = {
  ADOPTED: 'adopted',
  HAS_CHAIN: 'unchanged: it already has a chain',
  HAD_CHAIN: 'refused: it had a chain when the export was made',
};

async function adoptAll(by: string, against: string | undefined, opened: CommandDatabase): Promise<boolean> {
  const { db, sealer, auditKeys: keys } = opened;
  const heads = (await readExport(against, keys))?.heads ?? null;
  let [adopted, refused] = [0, 0];
  await adoptSessions({ db, sealer, keys, clock: systemClock, by, heads }, (sessionId, outcome) => {
    if (outcome === 'ADOPTED') adopted += 1;
    if (outcome === 'HAD_CHAIN') refused += 1;
    print(`session ${sessionId}  ${ADOPTIONS[outcome]}`);
  });
  print(`${by} adopted ${adopted} sessions: nothing that happened to them before can be verified.`);
  return refused === 0;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      file: { type: 'string' },
      against: { type: 'string' },
      archive: { type: 'string', multiple: true, default: [] },
      by: { type: 'string' },
      session: { type: 'string', multiple: true, default: [] },
    },
  });
  const { file, against, archive, session } = values;
  const [verb = '', ...rest] = positionals;
  const by = values.by?.trim();
  const asks = verb === 'bind' || verb === 'adopt' ? Boolean(by) : verb === 'export' || verb === 'verify';
  if (!asks || rest.length > 0) throw new UsageError(USAGE);
  const opened = await openCommandDatabase();
  const { db, auditKeys, close } = opened;
  const work = async (): Promise<boolean> => {
    if (verb === 'verify') return verify(against, archive, opened);
    if (verb === 'bind') return bindAll(by as string, against, session, opened);
    if (verb === 'adopt') return adoptAll(by as string, against, opened);
    await exportTo(file, db, auditKeys);
    return true;
  };
  try {
    if (!(await work())) process.exitCode = 1;
  } finally {
    await close();
  }
}

await runCommand(main);
