import { describe, expect, test } from 'vitest';
import {
  type ChainedRead,
  createReadChainStart,
  type PersonalDataRead,
  type ReadChainStart,
  type ReadLogCheckpoint,
  ReadLogVerifier,
  signChainedRead,
} from '../../src/domain/read-chain.ts';
import { keys, recordedAt } from './chains.ts';

const read = (second: number): PersonalDataRead => ({
  at: recordedAt(second),
  viewer: 'asha',
  operations: ['Start'],
  fields: ['VkycUser.phone'],
  subjects: ['u-1'],
});
const first = createReadChainStart(keys, 'a', recordedAt(0), null);
const second = createReadChainStart(keys, 'b', recordedAt(1), first);
/** Returns the first `count` reads of a chain, each signed with the hash of the read before. */
function readsOf(chain: ReadChainStart, count: number): ChainedRead[] {
  const reads: ChainedRead[] = [];
  for (let number = 1; number <= count; number += 1)
    reads.push(signChainedRead(keys, chain, number, read(number), reads.at(-1)?.hash ?? chain.hash));
  return reads;
}
const ofFirst = readsOf(first, 3) as [ChainedRead, ChainedRead, ChainedRead];
const ofSecond = readsOf(second, 1);
const UNCHAINED = { ...read(1), chainId: null, number: null, hash: null };

/** Checks chains and their reads. Returns findings as texts: chain id, number of the read, what was found. */
function check(
  chains: readonly ReadChainStart[],
  reads: readonly Parameters<ReadLogVerifier['add']>[0][],
  exported: ReadLogCheckpoint | null = null,
) {
  const log = new ReadLogVerifier(keys, chains, exported);
  for (const each of reads) log.add(each);
  const findings = log.end().map(({ chainId, number, what }) => `${chainId} ${number} ${what}`);
  return { findings, chained: log.chained, unchained: log.unchained };
}
const exportOf = (reads: readonly ChainedRead[], unchained = 0): ReadLogCheckpoint => ({
  heads: new Map(reads.map((each) => [each.chainId, each])),
  unchained,
});

describe('audit chain of personal-data reads', () => {
  test('createReadChainStart signs a new chain of personal-data reads with the current key, together with the hash of an earlier chain', () => {
    expect(first).toMatchObject({ keyId: 'new', previousId: null, previousHash: null });
    expect(second).toMatchObject({ previousId: 'a', previousHash: first.hash });
    expect(first.hash).toEqual(
      keys.sign(['vkyc-reads-1', 'a', recordedAt(0).toISOString(), null, null, 'new'], 'new'),
    );
    expect(second.hash).toEqual(
      keys.sign(
        ['vkyc-reads-1', 'b', recordedAt(1).toISOString(), 'a', first.hash.toString('hex'), 'new'],
        'new',
      ),
    );
  });

  test('the hash of a personal-data read covers all its fields, its number in the chain and the hash of the read before', () => {
    expect(ofFirst[1]).toMatchObject({ ...read(2), chainId: 'a', number: 2 });
    const at = recordedAt(2).toISOString();
    const before = ofFirst[0].hash.toString('hex');
    expect(ofFirst[1].hash).toEqual(
      keys.sign(
        ['vkyc-read-1', 'a', 2, at, 'asha', ['Start'], ['VkycUser.phone'], ['u-1'], 'new', before],
        'new',
      ),
    );
  });
});

describe('ReadLogVerifier', () => {
  test('ReadLogVerifier finds nothing in intact chains, and counts chained reads and unchained reads (of an earlier release)', () => {
    expect(check([first, second], [...ofFirst, UNCHAINED, ...ofSecond])).toEqual({
      findings: [],
      chained: 4,
      unchained: 1,
    });
    expect(check([], [])).toEqual({ findings: [], chained: 0, unchained: 0 });
  });

  test('ReadLogVerifier counts an entry of the read log as unchained if its chain id, number or hash is missing', () => {
    for (const missing of ['chainId', 'number', 'hash'])
      expect(check([], [{ ...ofFirst[0], [missing]: null }]).unchained, missing).toBe(1);
  });

  test.each([
    ['a read whose chain is missing', [], [ofFirst[0]], 'a 0 removed: the beginning of this chain is not in'],
    ['a gap between reads', [first], [ofFirst[0], ofFirst[2]], 'a 2 removed: the chain has a gap here'],
    ['a missing first read', [first], [ofFirst[1]], 'a 1 removed: the chain has a gap here'],
    ['a read out of order', [first], [ofFirst[0], ofFirst[1], ofFirst[0]], 'a 1 reordered'],
    ['an edited read', [first], [{ ...ofFirst[0], viewer: 'uma' }], 'a 1 edited, or the previous read'],
    ['a shortened hash', [first], [{ ...ofFirst[0], hash: ofFirst[0].hash.subarray(1) }], 'a 1 edited, or'],
    ['a chain without reads', [first], [], 'a 1 removed: the chain has no reads'],
    [
      'an edited beginning of a chain',
      [{ ...first, startedAt: recordedAt(9) }],
      ofFirst,
      'a 0 edited: the hash of its beginning does not match',
    ],
    [
      'a chain whose key AUDIT_KEYS lacks',
      [{ ...first, keyId: 'lost' }],
      ofFirst,
      'a 0 AUDIT_KEYS lacks its key "lost"',
    ],
    [
      'a removed chain, because the next chain names it',
      [second],
      ofSecond,
      'a 0 removed: chain b began after it',
    ],
  ] as const)(
    'ReadLogVerifier, which verifies the log of personal-data reads, reports %s',
    (_name, chains, reads, finding) => {
      const { findings } = check(chains as readonly ReadChainStart[], reads as readonly ChainedRead[]);
      expect(findings).toEqual([expect.stringContaining(finding)]);
    },
  );

  test('ReadLogVerifier reports a chain that was replaced by another with the same id, because the next chain contains the original hash', () => {
    const replaced = createReadChainStart(keys, 'a', recordedAt(5), null);
    expect(check([replaced, second], [...readsOf(replaced, 1), ...ofSecond]).findings).toEqual([
      'a 0 edited: its hash differs from the one with which chain b began',
    ]);
    // If chain `b` names chain `a` without the hash of `a`, it does not prove which chain `a` was.
    const content = { id: 'b', startedAt: recordedAt(1), previousId: 'a', previousHash: null, keyId: 'new' };
    const values = ['vkyc-reads-1', 'b', recordedAt(1).toISOString(), 'a', null, 'new'];
    const nameless = { ...content, hash: keys.sign(values, 'new') };
    expect(check([first, nameless], [...ofFirst, ...readsOf(nameless, 1)]).findings).toEqual([
      'a 0 edited: its hash differs from the one with which chain b began',
    ]);
  });

  test('ReadLogVerifier reports only the first of several errors in a chain, and still checks the other chains', () => {
    const edited = { ...ofFirst[0], viewer: 'uma' };
    const other = { ...(ofSecond[0] as (typeof ofSecond)[number]), viewer: 'uma' };
    expect(check([first, second], [edited, ofFirst[2], ofFirst[1], other]).findings).toEqual([
      expect.stringMatching(/^a 1 edited/),
      expect.stringMatching(/^b 1 edited/),
    ]);
  });

  test('ReadLogVerifier reports a read that an export lists, but that the log has lost or has with another hash', () => {
    const known = exportOf([ofFirst[1]]);
    expect(check([first], ofFirst, known).findings).toEqual([]);
    expect(check([first], ofFirst.slice(0, 2), known).findings).toEqual([]);
    expect(check([first], ofFirst.slice(0, 1), known).findings).toEqual([
      'a 2 cut off: the export lists entries of this chain up to 2',
    ]);
    expect(check([], [], known).findings).toEqual([
      'a 1 cut off: the export lists entries of this chain up to 2',
    ]);
    const another = { ...ofFirst[1], hash: Buffer.alloc(32) };
    expect(check([first], ofFirst, exportOf([another])).findings).toEqual([
      'a 2 edited: its hash differs from the exported hash',
    ]);
  });

  test('ReadLogVerifier reports a log that has fewer unchained reads than the export counted', () => {
    expect(check([], [UNCHAINED], exportOf([], 3)).findings).toEqual([
      'null 0 2 reads of an earlier release were removed',
    ]);
    expect(check([], [UNCHAINED], exportOf([], 1)).findings).toEqual([]);
    expect(check([], [UNCHAINED, UNCHAINED], exportOf([], 1)).findings).toEqual([]);
  });
});
