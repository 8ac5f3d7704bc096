/** Finds the first thing that is wrong with a session's chain: a pure function of what the database says now. */
import { type AuditEntry, type AuditHead, type AuditKeys, type AuditKind, COMMITMENTS } from './audit.ts';
import { advance, type FoldedState, type LogEntry } from './session.ts';
import { toStorable } from './storable.ts';

/** The first row that is wrong: its number in the chain, and what is wrong with it. */
export interface Finding {
  readonly number: number;
  readonly what: string;
}

/** A row of the tables that entries speak of, written down as an entry would be. */
export interface LiveRow {
  readonly kind: Exclude<AuditKind, 'ADOPTION' | 'ERASURE'>;
  /** A transition's sequence, a meeting's or review's id. */
  readonly key: string;
  readonly content: string;
}

const TABLES = { TRANSITION: 'status_transition', MEETING: 'meeting', REVIEW: 'review' } as const;

/** Of several findings the one with the lowest number; null where there is none. */
const firstOf = (findings: readonly Finding[]): Finding | null =>
  findings.reduce<Finding | null>(
    (first, each) => (!first || each.number < first.number ? each : first),
    null,
  );

/** Walks a chain, in the order of its numbers, to the first entry that does not follow from the one before it. */
export function checkLinks(entries: readonly AuditEntry[], keys: AuditKeys): Finding | null {
  let previous: Buffer | null = null;
  for (const [index, entry] of entries.entries()) {
    const number = index + 1;
    if (entry.number < number) return { number: entry.number, what: 'inserted: chains begin with 1' };
    if (entry.number > number) return { number, what: 'removed: the chain has a gap here' };
    if (!keys.verifies(entry, previous)) return { number, what: whyNot(entries, index, previous, keys) };
    previous = entry.hash;
  }
  return null;
}

/** Only for what is known to be wrong: tries what would make it right. */
function whyNot(
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
  const displaced = entries
    .slice(index + 1)
    .some((each) => keys.verifies({ ...each, number: entry.number }, previous));
  return displaced
    ? 'inserted: the entry that was recorded here comes after it'
    : 'edited, or the entry before it is gone: its hash does not follow from the two';
}

/** Compares a chain with how far it had come when it was exported. */
export function checkHead(entries: readonly AuditEntry[], head: AuditHead): Finding | null {
  const last = entries.at(-1)?.number ?? 0;
  if (last < head.number)
    return { number: last + 1, what: `cut off: the export knows this chain up to ${head.number}` };
  const entry = entries.find(({ number }) => number === head.number);
  if (!entry || entry.hash.equals(head.hash)) return null;
  return { number: head.number, what: 'edited: its hash is not the exported one' };
}

/** Compares what entries say with the rows that they speak of; `erased` counts texts that are gone with their salt. */
export function checkRows(
  entries: readonly AuditEntry[],
  rows: readonly LiveRow[],
): { finding: Finding | null; erased: number } {
  const { newest, findings } = newestOf(entries);
  const erasure = entries.findLast(({ kind }) => kind === 'ERASURE')?.number ?? 0;
  let erased = 0;
  for (const { kind, key, content } of rows) {
    const name = `${TABLES[kind]} ${key}`;
    const entry = newest.get(name);
    newest.delete(name);
    if (!entry) {
      const what = `cut off, or ${name} was inserted: no entry speaks of it`;
      findings.push({ number: (entries.at(-1)?.number ?? 0) + 1, what });
      continue;
    }
    const text = COMMITMENTS[kind];
    const then = fieldsOf(entry.content);
    const now = fieldsOf(content);
    // Only what an erasure speaks of is rightly gone: of anything else somebody else disposed.
    const gone = text !== undefined && now[text] === null && then[text] !== null && erasure > entry.number;
    if (gone) erased += 1;
    const wrong = differing(then, now, gone ? [text] : []);
    if (wrong.length > 0)
      findings.push({ number: entry.number, what: `${name} was edited: ${wrong.join(', ')}` });
  }
  for (const [name, { number }] of newest) findings.push({ number, what: `${name} was removed` });
  return { finding: firstOf(findings), erased };
}

/** What a later entry of the same row may say otherwise: all else was changed behind the gateway's back. */
const MAY_CHANGE: Record<LiveRow['kind'], readonly string[]> = {
  TRANSITION: [],
  MEETING: ['status', 'cancelledBy', 'cancelReason'],
  REVIEW: ['remarks'],
};

/** The newest entry of each row. The gateway signs what it finds in the database: so it is compared with what was. */
function newestOf(entries: readonly AuditEntry[]) {
  const newest = new Map<string, AuditEntry>();
  const findings: Finding[] = [];
  for (const entry of entries) {
    const { kind, number } = entry;
    if (kind === 'ADOPTION') {
      if (number !== 1) findings.push({ number, what: 'inserted: only a new chain can adopt what is there' });
      continue;
    }
    if (kind === 'ERASURE') continue;
    const name = nameOf(kind, entry.content);
    const before = newest.get(name);
    newest.set(name, entry);
    if (!before) continue;
    const wrong = differing(fieldsOf(before.content), fieldsOf(entry.content), MAY_CHANGE[kind]);
    if (wrong.length > 0 || MAY_CHANGE[kind].length === 0)
      findings.push({ number, what: `${name} was edited before this entry: ${wrong.join(', ')}` });
  }
  return { newest, findings };
}

type Fields = Record<string, unknown>;

/** Names the fields that differ. A field that one side lacks was added by a later release: it counts as null. */
const differing = (then: Fields, now: Fields, apartFrom: readonly string[]): string[] =>
  Object.keys({ ...then, ...now }).filter(
    (field) => asStored(now[field]) !== asStored(then[field]) && !apartFrom.includes(field),
  );

/**
 * A value as PostgreSQL keeps it. Earlier releases hashed half a surrogate pair as it was, and the driver stored U+FFFD
 * for it. The entry's hash vouches for the original, so that nothing else can pass for it.
 */
const asStored = (value: unknown): unknown =>
  typeof value === 'string' ? toStorable(value) : (value ?? null);

function nameOf(kind: LiveRow['kind'], content: string): string {
  const { id, sequence } = fieldsOf(content);
  return `${TABLES[kind]} ${kind === 'TRANSITION' ? sequence : id}`;
}

/** Nothing where it is not the text that was once written: the chain's hash says so already. */
function fieldsOf(content: string): Fields {
  try {
    return Object(JSON.parse(content));
  } catch {
    return {};
  }
}

/** What of a session's row follows from its log. */
export type FoldedRow = Pick<FoldedState, (typeof FOLDED)[number]>;
const FOLDED = ['status', 'subStatus', 'version', 'lastSequence', 'disputed', 'decidedHere'] as const;

/** Compares a session's row with what its log makes of it. */
export function checkFold(log: readonly LogEntry[], row: FoldedRow | null, last: number): Finding | null {
  if (!row) return { number: last, what: 'its row of vkyc_session was removed' };
  try {
    const state = log.reduce<FoldedState | null>(advance, null);
    const wrong = FOLDED.filter((field) => state?.[field] !== row[field]);
    return wrong.length === 0
      ? null
      : { number: last, what: `its row of vkyc_session was edited: ${wrong.join(', ')}` };
  } catch {
    return { number: 1, what: 'its log cannot be replayed' };
  }
}
