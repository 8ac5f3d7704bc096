import { describe, expect, test } from 'vitest';
import type { AuditEntry, AuditKind } from '../../src/domain/audit.ts';
import {
  type CurrentRow,
  checkHead,
  checkLinks,
  checkRows,
  earliestFinding,
  parseContent,
  toStoredForm,
} from '../../src/domain/audit-check.ts';
import { keys, makeChain, makeEntry, SESSION_ID } from './chains.ts';

const transition = (sequence: number, content: object = {}) =>
  ['TRANSITION', { sequence, ...content }] as const;
const rowOf = (kind: CurrentRow['kind'], key: string, content: object): CurrentRow => ({
  kind,
  key,
  content: JSON.stringify(content),
});
const transitionRow = (sequence: number, content: object = {}) =>
  rowOf('TRANSITION', String(sequence), { sequence, ...content });
const check = (entries: AuditEntry[], ...rows: CurrentRow[]) => checkRows(entries, rows);
const findingOf = (then: object, now: object) =>
  check(makeChain(transition(1, then)), transitionRow(1, now)).finding?.what ?? null;

test('the earliest finding is the one with the lowest number, and the first of those', () => {
  const findings = [3, 2, 2, 5].map((number, index) => ({ number, what: String(index) }));
  expect(earliestFinding(findings)).toEqual({ number: 2, what: '1' });
  expect(earliestFinding([])).toBeNull();
});

describe('checkRows', () => {
  test('a field added by a later release is not reported as an edit while it is null', () => {
    expect(findingOf({ status: 'FAILED' }, { status: 'FAILED', assignee: null })).toBeNull();
    expect(findingOf({ status: 'FAILED' }, { status: 'FAILED', assignee: 'ravi' })).toBe(
      'status_transition 1 was edited: assignee',
    );
  });

  test('a value removed from a row is reported as an edit', () => {
    expect(findingOf({ actor: 'uma' }, { actor: null })).toBe('status_transition 1 was edited: actor');
  });

  test('a text is compared in the form in which the database stores it', () => {
    expect(findingOf({ actor: 'a\ud800' }, { actor: 'a\ufffd' })).toBeNull();
    expect([toStoredForm(undefined), toStoredForm(0), toStoredForm('a\0')]).toEqual([null, 0, 'a\ufffd']);
  });

  test('a row without an entry is reported after the last entry, and an entry without a row at its number', () => {
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

  test('meetings and reviews are known by their ids, and a transition by its sequence', () => {
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

  test('entries about the session itself are not compared with rows', () => {
    const kinds: AuditKind[] = ['SESSION', 'DETAILS', 'PSEUDONYM', 'ERASURE'];
    expect(
      check(makeChain(...kinds.map((kind) => [kind, { id: 'x', sequence: 1 }] as const))).finding,
    ).toBeNull();
  });

  test('an ADOPTION is valid only as the first entry of a chain', () => {
    const adoption = ['ADOPTION', { transitions: 1 }] as const;
    expect(check(makeChain(adoption, transition(1)), transitionRow(1)).finding).toBeNull();
    expect(check(makeChain(transition(1), adoption), transitionRow(1)).finding).toEqual({
      number: 2,
      what: 'inserted: only the first entry of a chain can be an adoption',
    });
  });

  test('the newest entry of a row counts, and changes only what a later entry may change', () => {
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

  test('a transition has only one entry', () => {
    expect(check(makeChain(transition(1), transition(1)), transitionRow(1)).finding).toEqual({
      number: 2,
      what: 'status_transition 1 was edited before this entry: ',
    });
  });

  test('a text may be missing only if an erasure was recorded after it, and is counted then', () => {
    const review = ['REVIEW', { id: 'r', remarks: 'commitment' }] as const;
    const erasure = ['ERASURE', { erasedBy: 'uma' }] as const;
    const gone = rowOf('REVIEW', 'r', { id: 'r', remarks: null });
    const there = rowOf('REVIEW', 'r', { id: 'r', remarks: 'commitment' });
    const edited = { number: 1, what: 'review r was edited: remarks' };

    expect(check(makeChain(review, erasure), gone)).toEqual({ finding: null, erased: 1 });
    expect(check(makeChain(review, erasure), there)).toEqual({ finding: null, erased: 0 });
    expect(check(makeChain(review), gone)).toEqual({ finding: edited, erased: 0 });
    expect(check(makeChain(erasure, review), gone)).toEqual({ finding: { ...edited, number: 2 }, erased: 0 });
    // An erasure takes the text alone, and only if there was one.
    expect(
      check(makeChain(review, erasure), rowOf('REVIEW', 'r', { id: 'r', remarks: null, decision: 'X' })),
    ).toEqual({ finding: { number: 1, what: 'review r was edited: decision' }, erased: 1 });
    expect(
      check(makeChain(review, erasure), rowOf('REVIEW', 'r', { id: 'r', remarks: 'x' })).finding,
    ).toEqual(edited);
    const silent = makeChain(['REVIEW', { id: 'r', remarks: null }], erasure);
    expect(check(silent, gone)).toEqual({ finding: null, erased: 0 });
    expect(check(makeChain(transition(1), erasure), transitionRow(1))).toEqual({ finding: null, erased: 0 });
    // The last of several erasures counts.
    expect(check(makeChain(erasure, review, erasure), gone)).toEqual({ finding: null, erased: 1 });
    // An entry of another kind after the text is no erasure.
    expect(check(makeChain(review, ['DETAILS', {}]), gone).finding).toEqual(edited);
  });
});

describe('parseContent', () => {
  test('parses an object, and returns {} for anything else', () => {
    expect(parseContent('{"a":1}')).toEqual({ a: 1 });
    for (const text of ['', '{', 'null']) expect(parseContent(text)).toEqual({});
  });
});

describe('checkLinks', () => {
  const chain = makeChain(transition(1), transition(2), transition(3));
  const [first, second, third] = chain as [AuditEntry, AuditEntry, AuditEntry];
  const edited = (entry: AuditEntry) => ({ ...entry, content: '{"sequence":9}' });

  test('accepts a chain whose entries follow from each other', () => {
    expect(checkLinks([], keys)).toBeNull();
    expect(checkLinks(chain, keys)).toBeNull();
  });

  test.each([
    ['an edited entry', [first, edited(second), third], 2, /^edited, or the previous entry was removed/],
    ['an edited last entry', [first, second, edited(third)], 3, /^edited, or the previous entry was removed/],
    ['an entry that is gone', [first, third], 2, /^removed: the chain has a gap here/],
    ['a missing first entry', [second, third], 1, /^removed/],
    ['an entry before the first', [{ ...first, number: 0 }, first], 0, /^inserted: chains begin with 1/],
    ['an entry twice', [first, first, second], 1, /^inserted/],
    [
      'two entries in each other’s place',
      [first, { ...third, number: 2 }, { ...second, number: 3 }],
      2,
      /^reordered: this entry was recorded as number 3/,
    ],
    [
      'the first in the place of the second',
      [
        { ...second, number: 1 },
        { ...first, number: 2 },
      ],
      1,
      /^reordered: this entry was recorded as number 2/,
    ],
    [
      'the last in the place of the first',
      [
        { ...third, number: 1 },
        { ...second, number: 2 },
        { ...first, number: 3 },
      ],
      1,
      /^reordered: this entry was recorded as number 3/,
    ],
    [
      'an entry of a lost key',
      [first, { ...second, keyId: 'lost' }],
      2,
      /^edited, or AUDIT_KEYS lacks its key "lost"/,
    ],
    [
      'an entry that was signed after another one',
      [first, makeEntry(null, 'TRANSITION', { sequence: 2 }, { number: 2 })],
      2,
      /^edited, or the previous entry was removed/,
    ],
    [
      'a made-up entry before the one that was recorded here',
      [first, { ...edited(second), hash: Buffer.alloc(32) }, { ...second, number: 3 }],
      2,
      /^inserted: the original entry with this number comes after it/,
    ],
  ] as const)('finds %s', (_name, entries, number, what) => {
    const finding = checkLinks(entries as readonly AuditEntry[], keys);
    expect(finding).toEqual({ number, what: expect.stringMatching(what) });
  });
});

describe('checkHead', () => {
  const chain = makeChain(transition(1), transition(2));
  const head = (number: number, hash = chain[number - 1]?.hash ?? Buffer.alloc(32)) => ({
    sessionId: SESSION_ID,
    number,
    hash,
  });

  test('accepts a chain that has the exported entry, whatever follows', () => {
    expect(checkHead(chain, head(1))).toBeNull();
    expect(checkHead(chain, head(2))).toBeNull();
    expect(checkHead([], head(0))).toBeNull();
    expect(checkHead(chain.slice(0, 1), head(1))).toBeNull();
  });

  test('finds a chain that was cut off, or has another entry there', () => {
    expect(checkHead(chain, head(3))).toEqual({
      number: 3,
      what: 'cut off: the export lists entries of this chain up to 3',
    });
    expect(checkHead([], head(2))).toEqual({
      number: 1,
      what: 'cut off: the export lists entries of this chain up to 2',
    });
    expect(checkHead(chain, head(1, Buffer.alloc(32)))).toEqual({
      number: 1,
      what: 'edited: its hash is not the exported one',
    });
  });

  test('accepts hashes from before a pseudonym, if the entry names them in their place', () => {
    const [before, other] = [Buffer.alloc(32, 7), Buffer.alloc(32, 9)];
    const hashes = [before, other].map((hash) => hash.toString('hex')).join(',');
    const signedAnew = [...chain, makeEntry(chain[1] as AuditEntry, 'PSEUDONYM', { hashes })];
    expect(checkHead(signedAnew, head(1, before))).toBeNull();
    expect(checkHead(signedAnew, head(2, other))).toBeNull();
    expect(checkHead(signedAnew, head(2, before))?.number).toBe(2);
    const ofAnotherKind = [...chain, makeEntry(chain[1] as AuditEntry, 'ERASURE', { hashes })];
    expect(checkHead(ofAnotherKind, head(1, before))?.number).toBe(1);
  });
});
