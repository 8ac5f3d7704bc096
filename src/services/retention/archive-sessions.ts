import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { NIL_UUID } from '../../db/audit/audit.ts';
import type { Database } from '../../db/connection/client.ts';
import {
  type ArchivedSessionData,
  deleteAndRecordArchivedSessions,
  filterExistingSessionIds,
  lockArchivableSessions,
  readSessionsForArchiving,
} from '../../db/retention/archive.ts';
import type { AuditKeyring } from '../../domain/audit.ts';
import type { AuditFinding } from '../../domain/audit-check.ts';
import type { Sealer } from '../../encryption/sealing.ts';
import { verifySessionChain } from '../audit/verify-audit.ts';
import {
  createArchiveMac,
  formatArchiveLine,
  parseArchiveLine,
  readGzipLines,
  UnusableArchiveError,
} from './archive-file.ts';

const DAY_MS = 86_400_000;
/** Number of sessions of an interrupted archive that one query looks up in the database. */
const READ_AT_ONCE = 200;
/** Suffix of an archive's file name until the archive is complete. */
const PARTIAL = '.partial';
const compressed = promisify(gzip);

interface Dependencies {
  readonly db: Database;
  readonly sealer: Sealer;
  readonly keys: AuditKeyring;
  /** Days that a session stays in the database after its end. */
  readonly retentionDays: number;
  readonly now: Date;
  /** Maximum number of sessions that are locked and moved in one transaction. */
  readonly batch: number;
  /** Folder of the archives. */
  readonly folder: string;
  /** Called after each batch with the number of sessions moved so far. */
  readonly onProgress: (sessions: number) => void;
}

export interface ArchiveResult {
  /**
   * Archives that this run completed, with their number of sessions. Archives of an interrupted run, which this run
   * finished, are included.
   */
  readonly files: readonly { readonly file: string; readonly sessions: number }[];
  /** Sessions that stay in the database because their audit chain does not verify. */
  readonly wrong: readonly (AuditFinding & { sessionId: string })[];
}

export const getRetentionCutoff = (now: Date, retentionDays: number): Date =>
  new Date(now.getTime() - retentionDays * DAY_MS);

/**
 * Moves sessions that ended long ago to a new archive file. Crash-safe: each batch is synced to the disk
 * before its rows are deleted, and the next run completes an interrupted file.
 */
export async function archiveSessions(dependencies: Dependencies): Promise<ArchiveResult> {
  const files = await mendBroken(dependencies);
  const archive = await Archive.begin(
    dependencies,
    `sessions-${dependencies.now.toISOString().replaceAll(':', '-')}.jsonl.gz`,
  );
  const wrong = new Map<string, AuditFinding & { sessionId: string }>();
  let moved = 0;
  for (let before = -1; moved > before; ) {
    before = moved;
    for (let after: string | null = NIL_UUID; after !== null; ) {
      const batch = await moveBatch(dependencies, archive, after);
      for (const each of batch.wrong) wrong.set(each.sessionId, each);
      moved += batch.moved;
      dependencies.onProgress(moved);
      after = batch.last;
    }
    // A session that another one replaces can be archived only after its replacement, so the next pass may find
    // sessions that this pass could not move.
  }
  const file = await archive.finish();
  return { files: [...files, ...(file ? [file] : [])], wrong: [...wrong.values()] };
}

async function moveBatch(
  { db, sealer, keys, retentionDays, now, batch }: Dependencies,
  archive: Archive,
  after: string,
) {
  return db.transaction(async (tx) => {
    const ids = await lockArchivableSessions(tx, getRetentionCutoff(now, retentionDays), after, batch);
    const sound: ArchivedSessionData[] = [];
    const wrong: (AuditFinding & { sessionId: string })[] = [];
    for (const archive of ids.length === 0 ? [] : await readSessionsForArchiving(tx, ids)) {
      const { finding } = verifySessionChain(archive, null, keys, sealer);
      if (finding) wrong.push({ sessionId: archive.session?.id as string, ...finding });
      else sound.push(archive);
    }
    if (sound.length > 0) {
      await archive.add(sound.map(formatArchiveLine));
      await deleteAndRecordArchivedSessions(tx, sound, { file: archive.name, at: now });
    }
    return { last: ids.at(-1) ?? null, moved: sound.length, wrong };
  });
}

/**
 * Completes the archive files of interrupted runs. Lines are copied unchanged, because an earlier release may
 * have written them. Sessions that are still in the database are left out, because the current run moves them
 * to its own archive.
 */
async function mendBroken(dependencies: Dependencies): Promise<{ file: string; sessions: number }[]> {
  const { db, folder } = dependencies;
  const mended: { file: string; sessions: number }[] = [];
  for (const name of (await readdir(folder)).filter((each) => each.endsWith(PARTIAL)).sort()) {
    const archive = await Archive.begin(dependencies, name.slice(0, -PARTIAL.length), '.mending');
    let lines: { id: string; line: string }[] = [];
    const keep = async () => {
      const present = await filterExistingSessionIds(
        db,
        lines.map(({ id }) => id),
      );
      const gone = lines.filter(({ id }) => !present.has(id)).map(({ line }) => line);
      if (gone.length > 0) await archive.add(gone);
      lines = [];
    };
    let isBroken = false;
    for await (const line of readGzipLines(join(folder, name))) {
      // An interrupted run can truncate only the last line. An unreadable line before the last one means that
      // the file is damaged; the line must not be dropped, because its session may exist only in this file.
      if (isBroken)
        throw new UnusableArchiveError(
          `${join(folder, name)} is damaged: a line is not a session. Move the file away and use an intact copy.`,
        );
      const id = parseArchiveLine(line, join(folder, name))?.session?.id;
      if (id) lines.push({ id, line: `${line}\n` });
      else isBroken = true;
      if (lines.length >= READ_AT_ONCE) await keep();
    }
    if (lines.length > 0) await keep();
    const file = await archive.finish();
    if (file) mended.push(file);
    await unlink(join(folder, name));
    await syncFolder(folder);
  }
  return mended;
}

/** Archive file that grows by batches. Each batch is synced to the disk before `add` resolves. */
class Archive {
  readonly name: string;
  readonly #folder: string;
  readonly #suffix: string;
  readonly #handle: FileHandle;
  readonly #seal: ReturnType<typeof createArchiveMac>;
  #sessions = 0;

  private constructor(name: string, suffix: string, handle: FileHandle, { folder, keys, now }: Dependencies) {
    this.name = name;
    this.#folder = folder;
    this.#suffix = suffix;
    this.#handle = handle;
    this.#seal = createArchiveMac(keys, now);
  }

  static async begin(dependencies: Dependencies, name: string, suffix = PARTIAL): Promise<Archive> {
    // `wx` fails instead of overwriting the file of another run. Only a `.mending` file, which an interrupted
    // run did not finish copying, is written again from its start (`w`).
    const flags = suffix === PARTIAL ? 'wx' : 'w';
    const handle = await open(join(dependencies.folder, `${name}${suffix}`), flags, 0o600);
    await syncFolder(dependencies.folder);
    return new Archive(name, suffix, handle, dependencies);
  }

  async add(lines: readonly string[]): Promise<void> {
    for (const line of lines) this.#seal.add(line);
    this.#sessions += lines.length;
    await this.#write(lines.join(''));
  }

  /**
   * Writes the last line, which holds the MAC, and renames the file to its final name. If the archive has no
   * sessions, deletes the file and returns null.
   */
  async finish(): Promise<{ file: string; sessions: number } | null> {
    const present = join(this.#folder, `${this.name}${this.#suffix}`);
    if (this.#sessions > 0) await this.#write(this.#seal.line());
    await this.#handle.close();
    if (this.#sessions > 0) await rename(present, join(this.#folder, this.name));
    else await unlink(present);
    await syncFolder(this.#folder);
    return this.#sessions > 0 ? { file: this.name, sessions: this.#sessions } : null;
  }

  /**
   * Appends a separate gzip member (concatenated members are a valid file), so that damage to a later member leaves
   * the earlier ones readable.
   */
  async #write(text: string): Promise<void> {
    await this.#handle.appendFile(await compressed(text));
    await this.#handle.sync();
  }
}

/** Syncs the folder: a created or renamed file survives a crash only after its folder was synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
