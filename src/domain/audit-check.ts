/**
 * Finds the first error in a session's audit chain (HMAC chain of its changes): pure functions, which compare
 * the chain with the rows that the database contains now.
 */
import {
  type AuditEntry,
  type AuditEntryKind,
  type AuditHead,
  type AuditKeyring,
  COMMITMENT_FIELDS_BY_KIND,
} from './audit.ts';
import { replaceUnstorableCharacters } from './storable.ts';

/** Error in an audit chain: the number of an entry, and what is wrong with that entry. */
export interface AuditFinding {
  readonly number: number;
  readonly what: string;
}

/** Row of the database as it is now, serialized like the content of the audit entry that describes the row. */
export interface CurrentAuditedRow {
  readonly kind: 'TRANSITION' | 'MEETING' | 'REVIEW' | 'ANNOTATION' | 'LABELS';
  /** Sequence of a transition, id of a meeting, review or annotation; empty for labels, of which a session has one row. */
  readonly key: string;
  readonly content: string;
}

const TABLES = {
  TRANSITION: 'status_transition',
  MEETING: 'meeting',
  REVIEW: 'review',
  ANNOTATION: 'annotation',
  LABELS: 'session_label',
} as const;

/** Whether entries of this kind describe a row of their own. */
export const describesRow = (kind: AuditEntryKind): kind is CurrentAuditedRow['kind'] =>
  Object.hasOwn(TABLES, kind);

/** Returns the finding with the lowest entry number; null if there are no findings. */
export const findEarliestFinding = (findings: readonly AuditFinding[]): AuditFinding | null =>
  findings.reduce<AuditFinding | null>(
    (first, each) => (!first || each.number < first.number ? each : first),
    null,
  );

/** Checks the hashes along a chain and returns the first entry that does not follow from the one before it. */
export function checkChainHashes(entries: readonly AuditEntry[], keys: AuditKeyring): AuditFinding | null {
  let previous: Buffer | null = null;
  for (const [index, entry] of entries.entries()) {
    const number = index + 1;
    if (entry.number < number)
      return { number: entry.number, what: 'inserted: the first entry of a chain has the number 1' };
    if (entry.number > number) return { number, what: 'removed: the chain has a gap here' };
    if (!keys.verifies(entry, previous))
      return { number, what: findHashFault(entries, index, previous, keys) };
    previous = entry.hash;
  }
  return null;
}

/**
 * Guesses how an entry with a wrong hash was tampered with: tries other numbers and neighbours until the hash
 * is valid. Slow (quadratic), and only called for an entry with a wrong hash.
 */
function findHashFault(
  entries: readonly AuditEntry[],
  index: number,
  previous: Buffer | null,
  keys: AuditKeyring,
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
 * Compares a chain with its exported head (last entry at the time of the export). A difference reveals that
 * entries at the end of the chain were removed or replaced. If a pseudonym replaced a name, the chain was
 * signed again; its PSEUDONYM entry has the earlier hashes, so that exports from before still match.
 */
export function checkExportedHead(entries: readonly AuditEntry[], head: AuditHead): AuditFinding | null {
  const last = entries.at(-1)?.number ?? 0;
  if (last < head.number)
    return { number: last + 1, what: `cut off: the export lists entries of this chain up to ${head.number}` };
  const entry = entries.find(({ number }) => number === head.number);
  if (!entry || entry.hash.equals(head.hash)) return null;
  const exported = head.hash.toString('hex');
  const hadIt = (hashes: unknown) => String(hashes).split(',')[head.number - 1] === exported;
  if (entries.some(({ kind, content }) => kind === 'PSEUDONYM' && hadIt(parseAuditContent(content).hashes)))
    return null;
  return { number: head.number, what: 'edited: its hash differs from the exported hash' };
}

/**
 * Compares audit entries with the rows that the entries describe. `erased` in the result counts texts that were
 * rightly erased together with their salt.
 */
export function checkDescribedRows(
  entries: readonly AuditEntry[],
  rows: readonly CurrentAuditedRow[],
): { finding: AuditFinding | null; erased: number } {
  const { newest, findings } = newestContents(entries);
  const erasure = entries.findLast(({ kind }) => kind === 'ERASURE')?.number ?? 0;
  let erased = 0;
  for (const { kind, key, content } of rows) {
    const name = nameRow(kind, key);
    const entry = newest.get(name);
    newest.delete(name);
    if (!entry) {
      const what = `cut off, or ${name} was inserted: no entry names it`;
      findings.push({ number: (entries.at(-1)?.number ?? 0) + 1, what });
      continue;
    }
    const then = parseAuditContent(entry.content);
    const now = parseAuditContent(content);
    // A missing text is correct only if an ERASURE entry follows the entry; otherwise somebody removed the text
    // directly in the database.
    const isErased = (text: string) =>
      now[text] === null && (then[text] ?? null) !== null && erasure > entry.number;
    const gone = COMMITMENT_FIELDS_BY_KIND[kind]?.filter(isErased) ?? [];
    erased += gone.length;
    const wrong = differingFields(then, now, gone);
    if (wrong.length > 0)
      findings.push({ number: entry.number, what: `${name} was edited: ${wrong.join(', ')}` });
  }
  for (const [name, { number }] of newest) findings.push({ number, what: `${name} was removed` });
  return { finding: findEarliestFinding(findings), erased };
}

/**
 * Fields whose value may differ between two entries of the same row, because the gateway changes them. Any
 * other difference was made directly in the database.
 */
const MAY_CHANGE: Record<CurrentAuditedRow['kind'], readonly string[]> = {
  TRANSITION: [],
  MEETING: ['status', 'cancelledBy', 'cancelReason'],
  REVIEW: ['remarks'],
  ANNOTATION: [],
  LABELS: ['metadata', 'tags'],
};

/**
 * Returns the newest entry of each row. Also compares consecutive entries of a row: the gateway signs whatever
 * the row contains, so a value that was edited in the database shows as a change that the gateway never makes.
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
    // Entries of other kinds describe no row of their own; `audit-session.ts` checks SESSION, DETAILS and ERASURE.
    if (!describesRow(kind)) continue;
    const name = describeRow(kind, entry.content);
    const before = newest.get(name);
    newest.set(name, entry);
    if (!before) continue;
    const wrong = differingFields(
      parseAuditContent(before.content),
      parseAuditContent(entry.content),
      MAY_CHANGE[kind],
    );
    if (wrong.length > 0 || MAY_CHANGE[kind].length === 0)
      findings.push({ number, what: `${name} was edited before this entry: ${wrong.join(', ')}` });
  }
  return { newest, findings };
}

export type ParsedAuditContent = Record<string, unknown>;

/**
 * Returns the names of the fields that differ. A field that one side lacks, because a later release added the
 * field, counts as null.
 */
const differingFields = (
  then: ParsedAuditContent,
  now: ParsedAuditContent,
  apartFrom: readonly string[],
): string[] =>
  Object.keys({ ...then, ...now }).filter(
    (field) => toStoredForm(now[field]) !== toStoredForm(then[field]) && !apartFrom.includes(field),
  );

/**
 * Returns a value as PostgreSQL stores it. Earlier releases put lone surrogates into audit entries, but the
 * driver stored U+FFFD in their place, so the row and its entry differ without an edit. This is safe, because
 * the hash still covers the original text.
 */
export const toStoredForm = (value: unknown): unknown =>
  typeof value === 'string' ? replaceUnstorableCharacters(value) : (value ?? null);

function describeRow(kind: CurrentAuditedRow['kind'], content: string): string {
  const { id, sequence } = parseAuditContent(content);
  return nameRow(kind, kind === 'LABELS' ? '' : String(kind === 'TRANSITION' ? sequence : id));
}

const nameRow = (kind: CurrentAuditedRow['kind'], key: string): string => `${TABLES[kind]} ${key}`.trimEnd();

/**
 * Parses the content of an audit entry. Returns {} for invalid JSON: such an entry was edited, and `checkChainHashes`
 * reports it because its hash does not match.
 */
export function parseAuditContent(content: string): ParsedAuditContent {
  try {
    return Object(JSON.parse(content));
  } catch {
    return {};
  }
}
