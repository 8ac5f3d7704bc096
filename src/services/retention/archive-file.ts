/**
 * File format of archives: gzipped JSON lines, one per session, and a last line with a MAC (HMAC) over the
 * whole file.
 *
 * Each session's line names its format version (`ARCHIVE_FORMAT_VERSION`), because one file may hold lines of two
 * releases: a later release completes an archive that an interrupted run left behind. A line without a version
 * has version 1.
 */
import { timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip } from 'node:zlib';
import { z } from 'zod';
import {
  ARCHIVED_TABLES,
  type ArchivedSessionData,
  fromJsonValues,
  toJsonValues,
} from '../../db/retention/archive.ts';
import { sessions } from '../../db/schema/tables.ts';
import type { AuditKeyring } from '../../domain/audit.ts';

/**
 * Version of the lines that this release writes; lines of earlier versions can be read too. Raise the version
 * when an archived table gets another column, so that an older release refuses the archive instead of ignoring
 * the column. `test/api/archives.test.ts` fails until the version is raised, and checks that archives of all
 * versions stay readable.
 *
 * Version 1: lines without a version. Version 2: lines with a version. Version 3 adds the column `personSalt`
 * of a session. Version 4 adds the column `provider` of a session. Version 5 adds
 * annotations, flags for what staff did with a session, and reasons of reviews. Version 6 adds who works on a session, and
 * labels. Version 7 adds the languages of a session.
 */
export const ARCHIVE_FORMAT_VERSION = 7;

/**
 * Error for an unusable archive: truncated, altered, written by a later release, or signed with a key that
 * AUDIT_KEYS lacks.
 */
export class UnusableArchiveError extends Error {
  override readonly name = 'UnusableArchiveError';
}

const lastLine = z.object({
  sessions: z.int().min(0),
  archivedAt: z.string(),
  key: z.string(),
  mac: z.hex().length(64),
});

const plainRow = z.record(z.string(), z.unknown());
const versionOnly = z.object({ version: z.int().min(1).default(1) });
const sessionLine = versionOnly.extend({
  session: plainRow,
  // An archive written before a table existed has no rows of that table; the table is then read as empty.
  ...mapTables(() => z.array(plainRow).default([])),
});

/**
 * Formats a session with all its rows as one line. Encrypted values are copied without decryption, so an
 * archive stays readable only as long as DATA_KEYS contains their keys.
 */
export function formatArchiveLine({ session, origin: _origin, ...rows }: ArchivedSessionData): string {
  const plain = Object.entries(rows).map(([name, each]) => [name, each.map(toJsonValues)]);
  const line = {
    version: ARCHIVE_FORMAT_VERSION,
    session: session && toJsonValues(session),
    ...Object.fromEntries(plain),
  };
  return `${JSON.stringify(line)}\n`;
}

/**
 * Parses a session's line. Returns null if the line is not a complete session, for example because the file is
 * truncated.
 *
 * @throws UnusableArchiveError if a later release wrote the line
 */
export function parseArchiveLine(line: string, file: string): ArchivedSessionData | null {
  const json = parseLine(line);
  refuseLaterVersion(json, file);
  const parsed = sessionLine.safeParse(json);
  if (!parsed.success) return null;
  const { session, version: _version, ...rows } = parsed.data;
  const tables = mapTables((name) => rows[name].map((row) => fromJsonValues(ARCHIVED_TABLES[name], row)));
  return { session: fromJsonValues(sessions, session), ...tables } as ArchivedSessionData;
}

function refuseLaterVersion(line: unknown, file: string): void {
  const parsed = versionOnly.safeParse(line);
  if (!parsed.success || parsed.data.version <= ARCHIVE_FORMAT_VERSION) return;
  throw new UnusableArchiveError(
    `${file} was written by a later release (version ${parsed.data.version} of the format; this release reads up to ` +
      `${ARCHIVE_FORMAT_VERSION}). Run the command with that release, or with a later one.`,
  );
}

function mapTables<T>(
  map: (name: keyof typeof ARCHIVED_TABLES) => T,
): Record<keyof typeof ARCHIVED_TABLES, T> {
  const names = Object.keys(ARCHIVED_TABLES) as (keyof typeof ARCHIVED_TABLES)[];
  return Object.fromEntries(names.map((name) => [name, map(name)])) as never;
}

/**
 * Returns an object that computes the MAC of an archive: call `add` with each written line, including its line
 * end, and then `line` for the last line of the file, which holds the MAC.
 */
export function createArchiveMac(keys: AuditKeyring, now: Date) {
  const mac = keys.exportMac();
  let count = 0;
  return {
    add(line: string): void {
      mac.update(line);
      count += 1;
    },
    line(): string {
      const payload = { sessions: count, archivedAt: now.toISOString(), key: keys.currentId };
      return `${JSON.stringify({ ...payload, mac: mac.update(JSON.stringify(payload)).digest('hex') })}\n`;
    },
  };
}

/** Yields the lines of a gzipped file without their line ends. The last line may be truncated. */
export async function* readGzipLines(file: string): AsyncGenerator<string> {
  // Z_SYNC_FLUSH: unpack what exists even if the end of the file is missing.
  const unpacked = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  // A read error also destroys `unpacked`, so the loop below throws the error. The empty handler only avoids an
  // unhandled rejection.
  pipeline(createReadStream(file), unpacked).catch(() => {});
  let rest = '';
  for await (const text of unpacked.setEncoding('utf8')) {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() as string;
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/**
 * Yields the sessions of an archive. Checks the MAC of the whole file before it yields the first session.
 *
 * @throws UnusableArchiveError if the file is truncated or altered, or a key is missing
 */
export async function* readVerifiedArchive(
  file: string,
  keys: AuditKeyring,
): AsyncGenerator<ArchivedSessionData> {
  let count = await checkSeal(file, keys);
  for await (const line of readGzipLines(file)) {
    if (count === 0) return;
    count -= 1;
    const archive = parseArchiveLine(line, file);
    if (!archive)
      throw new UnusableArchiveError(
        `${file} is damaged: a line is not a session. Use an intact copy of the archive.`,
      );
    yield archive;
  }
}

/** Checks the MAC of an archive and returns the number of its sessions. */
async function checkSeal(file: string, keys: AuditKeyring): Promise<number> {
  let last: string | null = null;
  for await (const line of readGzipLines(file)) {
    // A later release may compute the MAC differently, so the version is checked first.
    if (last === null) refuseLaterVersion(parseLine(line), file);
    last = line;
  }
  const json = parseLine(last ?? '');
  const sealed = lastLine.safeParse(json);
  if (!sealed.success)
    throw new UnusableArchiveError(
      `${file} is truncated: its last line is missing. Use an intact copy of the archive.`,
    );
  const { key, mac, sessions: sealedSessions } = sealed.data;
  if (!keys.has(key))
    throw new UnusableArchiveError(
      `${file} was signed with the key "${key}", which AUDIT_KEYS lacks. Add the key to AUDIT_KEYS.`,
    );
  const expected = keys.exportMac(key);
  let previous: string | null = null;
  let count = -1;
  for await (const line of readGzipLines(file)) {
    if (previous !== null) expected.update(`${previous}\n`);
    previous = line;
    count += 1;
  }
  // The MAC covers all fields of the last line, including those that this release does not know, so the raw
  // JSON is used here.
  const { mac: _mac, ...payload } = json as Record<string, unknown>;
  const right = timingSafeEqual(expected.update(JSON.stringify(payload)).digest(), Buffer.from(mac, 'hex'));
  if (!right || count !== sealedSessions)
    throw new UnusableArchiveError(`${file} was altered: its MAC does not match its content.`);
  return count;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
