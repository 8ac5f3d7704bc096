/** The form of an archive: gzipped lines of JSON, one a session, and a last one that vouches for all of them. */
import { timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip } from 'node:zlib';
import { z } from 'zod';
import { ARCHIVED, type Dossier, plainRow, rowOf } from '../db/archiving.ts';
import { sessions } from '../db/tables.ts';
import type { AuditKeys } from '../domain/audit.ts';

/** An archive that cannot be trusted: cut short, altered, or made with a key that is not configured. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

const lastLine = z.object({
  sessions: z.int().min(0),
  archivedAt: z.string(),
  key: z.string(),
  mac: z.hex().length(64),
});

const plainRows = z.array(z.record(z.string(), z.unknown()));
const dossierLine = z.object({
  session: z.record(z.string(), z.unknown()),
  transitions: plainRows,
  meetings: plainRows,
  reviews: plainRows,
  entries: plainRows,
  feed: plainRows,
  sightings: plainRows,
});

/** One session with all its rows, as a line. What is encrypted stays so, and names the key of DATA_KEYS it needs. */
export function lineOf({ session, ...rows }: Dossier): string {
  const plain = Object.entries(rows).map(([name, each]) => [name, each.map(plainRow)]);
  return `${JSON.stringify({ session: session && plainRow(session), ...Object.fromEntries(plain) })}\n`;
}

/** The session of a line; null where the line was broken off while it was written. */
export function dossierOf(line: string): Dossier | null {
  const parsed = dossierLine.safeParse(jsonOf(line));
  if (!parsed.success) return null;
  const { session, ...rows } = parsed.data;
  const read = <Name extends keyof typeof ARCHIVED>(name: Name) =>
    rows[name].map((row) => rowOf(ARCHIVED[name] as (typeof ARCHIVED)[Name], row));
  return {
    session: rowOf(sessions, session),
    transitions: read('transitions'),
    meetings: read('meetings'),
    reviews: read('reviews'),
    entries: read('entries'),
    feed: read('feed'),
    sightings: read('sightings'),
  } as Dossier;
}

/** Makes the last line out of those before it: `add` each as it is written, line end included. */
export function createSeal(keys: AuditKeys, now: Date) {
  const mac = keys.exportMac();
  let count = 0;
  return {
    add(line: string): void {
      mac.update(line);
      count += 1;
    },
    line(): string {
      const said = { sessions: count, archivedAt: now.toISOString(), key: keys.currentId };
      return `${JSON.stringify({ ...said, mac: mac.update(JSON.stringify(said)).digest('hex') })}\n`;
    },
  };
}

/** The lines of a file, without their ends, as far as they were written: the last may have been broken off. */
export async function* linesOf(file: string): AsyncGenerator<string> {
  // What comes is passed on, where the end is missing too.
  const unpacked = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  // What fails there fails in the loop as well.
  pipeline(createReadStream(file), unpacked).catch(() => {});
  let rest = '';
  for await (const text of unpacked.setEncoding('utf8')) {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() as string;
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** The sessions of an archive. Throws `ArchiveError` before the first where it is not, to the letter, what was written. */
export async function* readArchive(file: string, keys: AuditKeys): AsyncGenerator<Dossier> {
  let count = await checkSeal(file, keys);
  for await (const line of linesOf(file)) {
    if (count === 0) return;
    count -= 1;
    const dossier = dossierOf(line);
    if (!dossier) throw new ArchiveError(`${file} has a line that is no session.`);
    yield dossier;
  }
}

/** How many sessions there are. */
async function checkSeal(file: string, keys: AuditKeys): Promise<number> {
  let last = '';
  for await (const line of linesOf(file)) last = line;
  const sealed = lastLine.safeParse(jsonOf(last));
  if (!sealed.success) throw new ArchiveError(`${file} is cut short: its last line is not there.`);
  const { mac, ...said } = sealed.data;
  if (!keys.has(said.key))
    throw new ArchiveError(`${file} was made with the key "${said.key}", which AUDIT_KEYS lacks.`);
  const expected = keys.exportMac(said.key);
  let previous: string | null = null;
  let count = -1;
  for await (const line of linesOf(file)) {
    if (previous !== null) expected.update(`${previous}\n`);
    previous = line;
    count += 1;
  }
  const right = timingSafeEqual(expected.update(JSON.stringify(said)).digest(), Buffer.from(mac, 'hex'));
  if (!right || count !== said.sessions)
    throw new ArchiveError(`${file} was altered: it is not what its MAC was made over.`);
  return count;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
