/**
 * Finds the first error in a session's audit chain. Pure functions that compare the chain with the rows that
 * the database contains now.
 */
import { type AuditEntry, type AuditHead, type AuditKeys, type AuditKind, COMMITMENTS } from './audit.ts';
import { toStorable } from './storable.ts';

/** Error in a chain: the number of the entry, and what is wrong with it. */
export interface AuditFinding {
  readonly number: number;
  readonly what: string;
}

/** Row of the database that audit entries describe, serialized like the content of such an entry. */
export interface CurrentRow {
  readonly kind: 'TRANSITION' | 'MEETING' | 'REVIEW' | 'ANNOTATION';
  /** Sequence of a transition, id of a meeting, review or annotation. */
  readonly key: string;
  readonly content: string;
}

const TABLES = {
  TRANSITION: 'status_transition',
  MEETING: 'meeting',
  REVIEW: 'review',
  ANNOTATION: 'annotation',
} as const;

/** Whether entries of this kind describe a row of their own. */
export const describesRow = (kind: AuditKind): kind is CurrentRow['kind'] => Object.hasOwn(TABLES, kind);

/** Returns the finding with the lowest entry number; null if there are no findings. */
export const earliestFinding = (findings: readonly AuditFinding[]): AuditFinding | null =>
  findings.reduce<AuditFinding | null>(
    (first, each) => (!first || each.number < first.number ? each : first),
    null,
  );

/** Checks the hashes along a chain and returns the first entry that does not follow from the one before it. */
export function checkLinks(entries: readonly AuditEntry[], keys: AuditKeys): AuditFinding | null {
  let previous: Buffer | null = null;
  for (const [index, entry] of entries.entries()) {
    const number = index + 1;
    if (entry.number < number) return { number: entry.number, what: 'inserted: chains begin with 1' };
    if (entry.number > number) return { number, what: 'removed: the chain has a gap here' };
    if (!keys.verifies(entry, previous))
      return { number, what: findHashFault(entries, index, previous, keys) };
    previous = entry.hash;
  }
  return null;
}

/**
 * Finds out how a broken entry came about, by trying which change would make its hash valid. Slow; only called for
 * broken entries.
 */
function findHashFault(
  entries: readonly AuditEntry[],
  index: number,
  previous: Buffer | null,
  keys: AuditKeys,
): string {
  const entry = entries[index] as AuditEntry;
  if (!keys.has(entry.keyId)) return `edited, or AUDIT_KEYS lacks its key "${entry.keyId}"`;
  const before = [null, ...entries.map((each) => each.hash)];
  const home = entries.find(
    ({ number }) =>
      number !== entry.number && before.some((hash) => keys.verifies({ ...entry, number }, hash)),
  );
  if (home) return `reordered: this entry was recorded as number ${home.number}`;
  const displaced = entries.some((each) => keys.verifies({ ...each, number: entry.number }, previous));
  return displaced
    ? 'inserted: the original entry with this number comes after it'
    : 'edited, or the previous entry was removed: its hash does not match';
}

/**
 * Compares a chain with its exported head, which reveals that entries at its end were removed or replaced. A
 * PSEUDONYM entry contains the hashes that the entries had before they were signed again, so that older
 * exports still match.
 */
export function checkHead(entries: readonly AuditEntry[], head: AuditHead): AuditFinding | null {
  const last = entries.at(-1)?.number ?? 0;
  if (last < head.number)
    return { number: last + 1, what: `cut off: the export lists entries of this chain up to ${head.number}` };
  const entry = entries.find(({ number }) => number === head.number);
  if (!entry || entry.hash.equals(head.hash)) return null;
  const exported = head.hash.toString('hex');
  const hadIt = (hashes: unknown) => String(hashes).split(',')[head.number - 1] === exported;
  if (entries.some(({ kind, content }) => kind === 'PSEUDONYM' && hadIt(parseContent(content).hashes)))
    return null;
  return { number: head.number, what: 'edited: its hash is not the exported one' };
}

/**
 * Compares entries with the rows that they describe. `erased` in the result counts texts that were erased
 * together with their salt.
 */
export function checkRows(
  entries: readonly AuditEntry[],
  rows: readonly CurrentRow[],
): { finding: AuditFinding | null; erased: number } {
  const { newest, findings } = newestContents(entries);
  const erasure = entries.findLast(({ kind }) => kind === 'ERASURE')?.number ?? 0;
  let erased = 0;
  for (const { kind, key, content } of rows) {
    const name = `${TABLES[kind]} ${key}`;
    const entry = newest.get(name);
    newest.delete(name);
    if (!entry) {
      const what = `cut off, or ${name} was inserted: no entry names it`;
      findings.push({ number: (entries.at(-1)?.number ?? 0) + 1, what });
      continue;
    }
    const then = parseContent(entry.content);
    const now = parseContent(content);
    // A missing text is correct only if an erasure was recorded after the entry; otherwise it was removed
    // directly in the database.
    const isErased = (text: string) =>
      now[text] === null && (then[text] ?? null) !== null && erasure > entry.number;
    const gone = COMMITMENTS[kind]?.filter(isErased) ?? [];
    erased += gone.length;
    const wrong = differingFields(then, now, gone);
    if (wrong.length > 0)
      findings.push({ number: entry.number, what: `${name} was edited: ${wrong.join(', ')}` });
  }
  for (const [name, { number }] of newest) findings.push({ number, what: `${name} was removed` });
  return { finding: earliestFinding(findings), erased };
}

/** Fields that a later entry of the same row may change. Any other difference was made directly in the database. */
const MAY_CHANGE: Record<CurrentRow['kind'], readonly string[]> = {
  TRANSITION: [],
  MEETING: ['status', 'cancelledBy', 'cancelReason'],
  REVIEW: ['remarks'],
  ANNOTATION: [],
};

/**
 * Returns the newest entry of each row. Also compares consecutive entries of a row: the gateway signs
 * whatever the database contains, so a value that was edited in the database between two entries shows as a
 * difference that no recording makes.
 */
function newestContents(entries: readonly AuditEntry[]) {
  const newest = new Map<string, AuditEntry>();
  const findings: AuditFinding[] = [];
  for (const entry of entries) {
    const { kind, number } = entry;
    if (kind === 'ADOPTION') {
      if (number !== 1)
        findings.push({ number, what: 'inserted: only the first entry of a chain can be an adoption' });
      continue;
    }
    // Entries of all other kinds are compared with the session's row by `audit-session.ts`.
    if (!describesRow(kind)) continue;
    const name = describeRow(kind, entry.content);
    const before = newest.get(name);
    newest.set(name, entry);
    if (!before) continue;
    const wrong = differingFields(
      parseContent(before.content),
      parseContent(entry.content),
      MAY_CHANGE[kind],
    );
    if (wrong.length > 0 || MAY_CHANGE[kind].length === 0)
      findings.push({ number, what: `${name} was edited before this entry: ${wrong.join(', ')}` });
  }
  return { newest, findings };
}

export type Fields = Record<string, unknown>;

/**
 * Returns the names of the fields that differ. If one side lacks a field, because a later release added the
 * field, it counts as null there.
 */
const differingFields = (then: Fields, now: Fields, apartFrom: readonly string[]): string[] =>
  Object.keys({ ...then, ...now }).filter(
    (field) => toStoredForm(now[field]) !== toStoredForm(then[field]) && !apartFrom.includes(field),
  );

/**
 * Returns a value in the form in which PostgreSQL stores it. Earlier releases hashed lone surrogates
 * unchanged, while the driver stored U+FFFD in their place. The entry's hash still covers the original text,
 * so no other text can pass for it.
 */
export const toStoredForm = (value: unknown): unknown =>
  typeof value === 'string' ? toStorable(value) : (value ?? null);

function describeRow(kind: CurrentRow['kind'], content: string): string {
  const { id, sequence } = parseContent(content);
  return `${TABLES[kind]} ${kind === 'TRANSITION' ? sequence : id}`;
}

/** Returns {} for content that cannot be parsed; `checkLinks` already reports such an entry by its hash. */
export function parseContent(content: string): Fields {
  try {
    return Object(JSON.parse(content));
  } catch {
    return {};
  }
}
