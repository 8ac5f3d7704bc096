import { describe, expect, test } from 'vitest';
import type { AuditEntry, AuditEntryKind } from '../../src/domain/audit.ts';
import {
  type CurrentAuditedRow,
  checkChainHashes,
  checkDescribedRows,
  checkExportedHead,
  findEarliestFinding,
  parseAuditContent,
  toStoredForm,
} from '../../src/domain/audit-check.ts';
import { keys, makeChain, makeEntry, SESSION_ID } from './chains.ts';

const transition = (sequence: number, content: object = {}) =>
  ['TRANSITION', { sequence, ...content }] as const;
const rowOf = (kind: CurrentAuditedRow['kind'], key: string, content: object): CurrentAuditedRow => ({
  kind,
  key,
  content: JSON.stringify(content),
});
const transitionRow = (sequence: number, content: object = {}) =>
  rowOf('TRANSITION', String(sequence), { sequence, ...content });
const check = (entries: AuditEntry[], ...rows: CurrentAuditedRow[]) => checkDescribedRows(entries, rows);
const findingOf = (then: object, now: object) =>
  check(makeChain(transition(1, then)), transitionRow(1, now)).finding?.what ?? null;

test('findEarliestFinding returns the finding with the lowest entry number, and the first one if several have it', () => {
  const findings = [3, 2, 2, 5].map((number, index) => ({ number, what: String(index) }));
  expect(findEarliestFinding(findings)).toEqual({ number: 2, what: '1' });
  expect(findEarliestFinding([])).toBeNull();
});

describe('checkDescribedRows', () => {
  test('a field that the audit entries of an earlier release lack is reported as an edit only if it has a value', () => {
    expect(findingOf({ status: 'FAILED' }, { status: 'FAILED', assignee: null })).toBeNull();
    expect(findingOf({ status: 'FAILED' }, { status: 'FAILED', assignee: 'ravi' })).toBe(
      'status_transition 1 was edited: assignee',
    );
  });

  test('checkDescribedRows reports a value removed from a row as an edit', () => {
    expect(findingOf({ actor: 'uma' }, { actor: null })).toBe('status_transition 1 was edited: actor');
  });

  test('checkDescribedRows compares texts in the form that PostgreSQL can store: null bytes and lone surrogates are replaced', () => {
    expect(findingOf({ actor: 'a\ud800' }, { actor: 'a\ufffd' })).toBeNull();
    expect([toStoredForm(undefined), toStoredForm(0), toStoredForm('a\0')]).toEqual([null, 0, 'a\ufffd']);
  });

  test('checkDescribedRows reports a row without an audit entry at the number after the last entry, and a removed row at the number of its entry', () => {
    const entries = makeChain(transition(1), transition(2));
    expect(check(entries, transitionRow(1), transitionRow(2))).toEqual({ finding: null, erased: 0 });
    expect(check(entries, transitionRow(1), transitionRow(2), transitionRow(3)).finding).toEqual({
      number: 3,
      what: 'cut off, or status_transition 3 was inserted: no entry names it',
    });
    expect(check([], transitionRow(1)).finding?.number).toBe(1);
    expect(check(makeChain(transition(1)), transitionRow(1), transitionRow(2)).finding?.number).toBe(2);
    expect(check(entries, transitionRow(1)).finding).toEqual({
      number: 2,
      what: 'status_transition 2 was removed',
    });
  });

  test('checkDescribedRows matches rows of meetings and reviews to audit entries by id, and rows of transitions by sequence', () => {
    const entries = makeChain(
      ['MEETING', { id: 'm', sequence: 7, status: 'SCHEDULED' }],
      ['REVIEW', { id: 'r', sequence: 7, decision: 'APPROVED' }],
      ['TRANSITION', { id: 't', sequence: 7 }],
    );
    const meeting = { id: 'm', sequence: 7, status: 'SCHEDULED' };
    const review = { id: 'r', sequence: 7, decision: 'APPROVED' };
    const rows = [
      rowOf('MEETING', 'm', meeting),
      rowOf('REVIEW', 'r', review),
      rowOf('TRANSITION', '7', { id: 't', sequence: 7 }),
    ];
    expect(check(entries, ...rows).finding).toBeNull();
    expect(check(entries, ...rows.slice(1)).finding?.what).toBe('meeting m was removed');
    expect(
      check(entries, ...rows.with(1, rowOf('REVIEW', 'r', { ...review, decision: 'REJECTED' }))).finding,
    ).toEqual({ number: 2, what: 'review r was edited: decision' });
  });

  test('SESSION, DETAILS, PSEUDONYM and ERASURE entries have no row of their own, so checkDescribedRows reports none as removed', () => {
    const kinds: AuditEntryKind[] = ['SESSION', 'DETAILS', 'PSEUDONYM', 'ERASURE'];
    expect(
      check(makeChain(...kinds.map((kind) => [kind, { id: 'x', sequence: 1 }] as const))).finding,
    ).toBeNull();
  });

  test('an ADOPTION entry, which begins the chain of a session older than audit chains, is valid only as the first entry', () => {
    const adoption = ['ADOPTION', { transitions: 1 }] as const;
    expect(check(makeChain(adoption, transition(1)), transitionRow(1)).finding).toBeNull();
    expect(check(makeChain(transition(1), adoption), transitionRow(1)).finding).toEqual({
      number: 2,
      what: 'inserted: only the first entry of a chain can be an adoption',
    });
  });

  test('checkDescribedRows compares a row with its newest audit entry, which may differ from older entries only in fields that can change', () => {
    const meeting = { id: 'm', status: 'SCHEDULED', startsAt: 1, cancelledBy: null, cancelReason: null };
    const cancelled = { ...meeting, status: 'CANCELLED', cancelledBy: 'uma', cancelReason: 'c' };
    const rows = [rowOf('MEETING', 'm', cancelled)];
    expect(check(makeChain(['MEETING', meeting], ['MEETING', cancelled]), ...rows).finding).toBeNull();
    const moved = { ...cancelled, startsAt: 2 };
    expect(
      check(makeChain(['MEETING', meeting], ['MEETING', moved]), rowOf('MEETING', 'm', moved)).finding,
    ).toEqual({ number: 2, what: 'meeting m was edited before this entry: startsAt' });

    const review = { id: 'r', decision: 'APPROVED', remarks: null };
    const remarked = { ...review, remarks: 'c' };
    const overturned = { ...review, decision: 'REJECTED' };
    expect(
      check(makeChain(['REVIEW', review], ['REVIEW', remarked]), rowOf('REVIEW', 'r', remarked)).finding,
    ).toBeNull();
    expect(
      check(makeChain(['REVIEW', review], ['REVIEW', overturned]), rowOf('REVIEW', 'r', overturned)).finding,
    ).toEqual({ number: 2, what: 'review r was edited before this entry: decision' });
  });

  test('checkDescribedRows reports a second audit entry for the same transition', () => {
    expect(check(makeChain(transition(1), transition(1)), transitionRow(1)).finding).toEqual({
      number: 2,
      what: 'status_transition 1 was edited before this entry: ',
    });
  });

  test('checkDescribedRows accepts that a row lacks a text only if an ERASURE entry follows the entry of the text, and counts the text as erased', () => {
    const review = ['REVIEW', { id: 'r', remarks: 'commitment' }] as const;
    const erasure = ['ERASURE', { erasedBy: 'uma' }] as const;
    const gone = rowOf('REVIEW', 'r', { id: 'r', remarks: null });
    const there = rowOf('REVIEW', 'r', { id: 'r', remarks: 'commitment' });
    const edited = { number: 1, what: 'review r was edited: remarks' };

    expect(check(makeChain(review, erasure), gone)).toEqual({ finding: null, erased: 1 });
    expect(check(makeChain(review, erasure), there)).toEqual({ finding: null, erased: 0 });
    expect(check(makeChain(review), gone)).toEqual({ finding: edited, erased: 0 });
    expect(check(makeChain(erasure, review), gone)).toEqual({ finding: { ...edited, number: 2 }, erased: 0 });
    // An ERASURE entry excuses a missing text, but no other edit. A text that never existed is not counted as
    // erased.
    expect(
      check(makeChain(review, erasure), rowOf('REVIEW', 'r', { id: 'r', remarks: null, decision: 'X' })),
    ).toEqual({ finding: { number: 1, what: 'review r was edited: decision' }, erased: 1 });
    expect(
      check(makeChain(review, erasure), rowOf('REVIEW', 'r', { id: 'r', remarks: 'x' })).finding,
    ).toEqual(edited);
    const silent = makeChain(['REVIEW', { id: 'r', remarks: null }], erasure);
    expect(check(silent, gone)).toEqual({ finding: null, erased: 0 });
    expect(check(makeChain(transition(1), erasure), transitionRow(1))).toEqual({ finding: null, erased: 0 });
    // One ERASURE entry after the text is enough, even if another one precedes the text.
    expect(check(makeChain(erasure, review, erasure), gone)).toEqual({ finding: null, erased: 1 });
    // A later entry of another kind does not excuse a missing text.
    expect(check(makeChain(review, ['DETAILS', {}]), gone).finding).toEqual(edited);
  });
});

describe('parseAuditContent', () => {
  test('parseAuditContent returns the object of a JSON text, and {} for any other text', () => {
    expect(parseAuditContent('{"a":1}')).toEqual({ a: 1 });
    for (const text of ['', '{', 'null']) expect(parseAuditContent(text)).toEqual({});
  });
});

describe('checkChainHashes', () => {
  const chain = makeChain(transition(1), transition(2), transition(3));
  const [first, second, third] = chain as [AuditEntry, AuditEntry, AuditEntry];
  const edited = (entry: AuditEntry) => ({ ...entry, content: '{"sequence":9}' });

  test('checkChainHashes finds nothing in a chain whose entries each sign the hash of the entry before', () => {
    expect(checkChainHashes([], keys)).toBeNull();
    expect(checkChainHashes(chain, keys)).toBeNull();
  });

  test.each([
    ['an edited entry', [first, edited(second), third], 2, /^edited, or the previous entry was removed/],
    ['an edited last entry', [first, second, edited(third)], 3, /^edited, or the previous entry was removed/],
    ['a removed entry', [first, third], 2, /^removed: the chain has a gap here/],
    ['a missing first entry', [second, third], 1, /^removed/],
    [
      'an inserted entry with number 0',
      [{ ...first, number: 0 }, first],
      0,
      /^inserted: the first entry of a chain has the number 1/,
    ],
    ['a repeated entry', [first, first, second], 1, /^inserted/],
    [
      'an exchanged second and third entry',
      [first, { ...third, number: 2 }, { ...second, number: 3 }],
      2,
      /^reordered: this entry was recorded as number 3/,
    ],
    [
      'an exchanged first and second entry',
      [
        { ...second, number: 1 },
        { ...first, number: 2 },
      ],
      1,
      /^reordered: this entry was recorded as number 2/,
    ],
    [
      'a reversed chain',
      [
        { ...third, number: 1 },
        { ...second, number: 2 },
        { ...first, number: 3 },
      ],
      1,
      /^reordered: this entry was recorded as number 3/,
    ],
    [
      'an entry whose key AUDIT_KEYS lacks',
      [first, { ...second, keyId: 'lost' }],
      2,
      /^edited, or AUDIT_KEYS lacks its key "lost"/,
    ],
    [
      'an entry that was signed without the hash of the entry before',
      [first, makeEntry(null, 'TRANSITION', { sequence: 2 }, { number: 2 })],
      2,
      /^edited, or the previous entry was removed/,
    ],
    [
      'a made-up entry before the original with the same number',
      [first, { ...edited(second), hash: Buffer.alloc(32) }, { ...second, number: 3 }],
      2,
      /^inserted: the original entry with this number comes after it/,
    ],
  ] as const)(
    'checkChainHashes, which verifies the hashes of an audit chain, reports %s',
    (_name, entries, number, what) => {
      const finding = checkChainHashes(entries as readonly AuditEntry[], keys);
      expect(finding).toEqual({ number, what: expect.stringMatching(what) });
    },
  );
});

describe('checkExportedHead', () => {
  const chain = makeChain(transition(1), transition(2));
  const head = (number: number, hash = chain[number - 1]?.hash ?? Buffer.alloc(32)) => ({
    sessionId: SESSION_ID,
    number,
    hash,
  });

  test('checkExportedHead accepts a chain that still has the exported entry, whatever follows that entry', () => {
    expect(checkExportedHead(chain, head(1))).toBeNull();
    expect(checkExportedHead(chain, head(2))).toBeNull();
    expect(checkExportedHead([], head(0))).toBeNull();
    expect(checkExportedHead(chain.slice(0, 1), head(1))).toBeNull();
  });

  test('checkExportedHead reports a chain that ends before the exported head, or whose entry of that number has another hash', () => {
    expect(checkExportedHead(chain, head(3))).toEqual({
      number: 3,
      what: 'cut off: the export lists entries of this chain up to 3',
    });
    expect(checkExportedHead([], head(2))).toEqual({
      number: 1,
      what: 'cut off: the export lists entries of this chain up to 2',
    });
    expect(checkExportedHead(chain, head(1, Buffer.alloc(32)))).toEqual({
      number: 1,
      what: 'edited: its hash differs from the exported hash',
    });
  });

  test('checkExportedHead accepts an exported hash that no longer matches if a PSEUDONYM entry (written when entries are signed again) lists that hash for the number', () => {
    const [before, other] = [Buffer.alloc(32, 7), Buffer.alloc(32, 9)];
    const hashes = [before, other].map((hash) => hash.toString('hex')).join(',');
    const signedAnew = [...chain, makeEntry(chain[1] as AuditEntry, 'PSEUDONYM', { hashes })];
    expect(checkExportedHead(signedAnew, head(1, before))).toBeNull();
    expect(checkExportedHead(signedAnew, head(2, other))).toBeNull();
    expect(checkExportedHead(signedAnew, head(2, before))?.number).toBe(2);
    const ofAnotherKind = [...chain, makeEntry(chain[1] as AuditEntry, 'ERASURE', { hashes })];
    expect(checkExportedHead(ofAnotherKind, head(1, before))?.number).toBe(1);
  });
});
