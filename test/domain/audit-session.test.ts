import { describe, expect, test } from 'vitest';
import {
  type AuditEntry,
  type AuditEntryKind,
  computeCommitment,
  formatPersonForCommitment,
} from '../../src/domain/audit.ts';
import {
  type AuditedSessionColumns,
  checkDerivedColumns,
  checkIdentityAndDetails,
  findDifferingDetails,
  hasSessionEntry,
  type SessionOrigin,
} from '../../src/domain/audit-session.ts';
import type { SessionLogEntry } from '../../src/domain/session.ts';
import { makeChain, recordedAt } from './chains.ts';

const EDITED = 'its row of vkyc_session was edited';
const SALT = Buffer.alloc(32, 5);
const USER = { userId: 'u-1', createdAt: recordedAt(0), erasedAt: null };
const ORIGIN: SessionOrigin = { user: USER, caller: 'olga' };

const log: (SessionLogEntry & { recordedAt: Date })[] = [
  {
    ...{ sequence: 1, status: 'RECEIVED', subStatus: 'LINK_GENERATED', source: 'MUTATION', verdict: 'MOVED' },
    ...{ rawStatus: 'RECEIVED', rawSubStatus: 'LINK_GENERATED', recordedAt: recordedAt(1) },
  },
  {
    ...{
      sequence: 2,
      status: 'VIDEO_CALL',
      subStatus: 'AGENT_ENDED_CALL',
      source: 'WEBHOOK',
      verdict: 'MOVED',
    },
    ...{ rawStatus: 'VIDEO_CALL', rawSubStatus: 'AGENT_ENDED_CALL', recordedAt: recordedAt(2) },
  },
  {
    ...{
      sequence: 3,
      status: 'PRE_VIDEO_CALL',
      subStatus: 'USER_QUEUED',
      source: 'WEBHOOK',
      verdict: 'LATE',
    },
    ...{ rawStatus: 'PRE_VIDEO_CALL', rawSubStatus: 'USER_QUEUED', recordedAt: recordedAt(3) },
  },
];
const row: AuditedSessionColumns = {
  verificationId: 'loan-1',
  userId: 'u-1',
  personSalt: SALT,
  referenceId: '1358',
  userTemplate: null,
  agentTemplate: null,
  replacesId: null,
  linkExpiresAt: recordedAt(50),
  status: 'VIDEO_CALL',
  subStatus: 'AGENT_ENDED_CALL',
  rawStatus: 'VIDEO_CALL',
  rawSubStatus: 'AGENT_ENDED_CALL',
  providerStatus: 'VIDEO_CALL',
  providerSubStatus: 'AGENT_ENDED_CALL',
  escalated: false,
  assignedAgent: null,
  assignedAt: null,
  closed: false,
  replaced: false,
  version: 2,
  lastSequence: 3,
  disputed: false,
  decidedHere: false,
  waitingOn: 'AGENT',
  statusSince: recordedAt(2),
  createdAt: recordedAt(1),
  updatedAt: recordedAt(3),
  erasedAt: null,
};
/** Content of the audit entry of kind SESSION that matches the session row above. */
const SAID = {
  verificationId: 'loan-1',
  userId: 'u-1',
  person: computeCommitment(formatPersonForCommitment(USER), SALT),
  caller: 'olga',
  referenceId: null,
  userTemplate: null,
  agentTemplate: null,
  replacesId: null,
  linkExpiresAt: recordedAt(40).toISOString(),
  createdAt: recordedAt(1).toISOString(),
  boundBy: null,
};
const LEARNED = { referenceId: '1358', linkExpiresAt: recordedAt(50).toISOString() };
const session = (changes: object = {}) => ['SESSION', { ...SAID, ...changes }] as const;
const details = (changes: object) => ['DETAILS', changes] as const;
const chain = makeChain(session(), details(LEARNED));
const ERASURE = ['ERASURE', { erasedBy: 'uma' }] as const;

describe('checkDerivedColumns', () => {
  const three = makeChain(session(), ['TRANSITION', {}], ['TRANSITION', {}]);
  const check = (changes: Partial<AuditedSessionColumns> | null, entries = three) =>
    checkDerivedColumns(entries, log, changes && { ...row, ...changes });

  test('checkDerivedColumns accepts a session row that equals what its log of transitions reduces to', () => {
    expect(check({})).toBeNull();
  });

  test('checkDerivedColumns finds an assignee whom the newest assignment in the chain does not name', () => {
    const assigned = {
      sequence: 4,
      verdict: 'ASSIGNED' as const,
      recordedAt: recordedAt(4),
      rawStatus: null,
    };
    const longer = [...log, { ...(log[1] as (typeof log)[number]), ...assigned }];
    const claim = { kind: 'CLAIM', author: 'ravi', code: 'meera', recordedAt: recordedAt(4).toISOString() };
    const entries = makeChain(
      session(),
      ['ANNOTATION', { kind: 'ASSIGNMENT', code: 'meera' }],
      ['ANNOTATION', claim],
    );
    const found = (assignedAgent: string | null) => {
      const at = { assignedAt: recordedAt(4), updatedAt: recordedAt(4), lastSequence: 4 };
      return checkDerivedColumns(entries, longer, { ...row, ...at, assignedAgent });
    };
    expect(found('ravi')).toBeNull();
    for (const assignee of ['meera', null])
      expect(found(assignee)?.what).toBe('its row of vkyc_session was edited: assignedAgent');
  });

  test.each([
    { status: 'FAILED' },
    { subStatus: 'USER_QUEUED' },
    { rawStatus: 'x' },
    { rawSubStatus: null },
    { providerStatus: 'x' },
    { providerSubStatus: 'x' },
    { version: 3 },
    { lastSequence: 2 },
    { disputed: true },
    { decidedHere: true },
    { waitingOn: 'CUSTOMER' },
    { statusSince: recordedAt(3) },
    { createdAt: recordedAt(2) },
    { updatedAt: recordedAt(2) },
    { updatedAt: new Date('infinity') },
    { erasedAt: recordedAt(3) },
  ] as Partial<AuditedSessionColumns>[])(
    'checkDerivedColumns reports the edit %o of the session row at the number of the last audit entry',
    (changes) => {
      expect(check(changes)).toEqual({ number: 3, what: `${EDITED}: ${Object.keys(changes)}` });
    },
  );

  test('checkDerivedColumns requires that erasedAt of the session row is the time of the last ERASURE entry', () => {
    const erased = makeChain(session(), ERASURE, ['DETAILS', {}]);
    expect(check({ erasedAt: recordedAt(2) }, erased)).toBeNull();
    expect(check({}, erased)).toEqual({ number: 3, what: `${EDITED}: erasedAt` });
    expect(check({ erasedAt: recordedAt(3) }, makeChain(ERASURE, session(), ERASURE))).toBeNull();
  });

  test('checkDerivedColumns reports a missing session row at the last audit entry, and a log that cannot be replayed at the first', () => {
    const gone = 'its row of vkyc_session was removed';
    expect(check(null)).toEqual({ number: 3, what: gone });
    expect(check(null, [])).toEqual({ number: 1, what: gone });
    const broken = {
      number: 1,
      what: 'its log of transitions cannot be replayed: the first transition was removed or edited',
    };
    expect(checkDerivedColumns(three, [], row)).toEqual(broken);
    expect(checkDerivedColumns(three, log.slice(2), row)).toEqual(broken);
  });
});

describe('isBound', () => {
  test('isBound returns true if the chain contains a SESSION entry, which says whose session it is', () => {
    expect(hasSessionEntry(makeChain(['ADOPTION', {}], session()))).toBe(true);
    expect(hasSessionEntry(makeChain(['ADOPTION', {}], details({})))).toBe(false);
    expect(hasSessionEntry([])).toBe(false);
  });
});

describe('checkIdentityAndDetails', () => {
  const check = (
    changes: Partial<AuditedSessionColumns> | null = {},
    origin: SessionOrigin | undefined = ORIGIN,
    entries: readonly AuditEntry[] = chain,
  ) => checkIdentityAndDetails(entries, changes && { ...row, ...changes }, origin);
  const chainWith = (...contents: readonly (readonly [AuditEntryKind, object])[]) => makeChain(...contents);

  test('checkIdentityAndDetails accepts a session row with the ids of its audit entries, and leaves a missing row to checkDerivedColumns', () => {
    expect(check()).toBeNull();
    expect(check(null)).toBeNull();
    // Archived sessions have neither the user nor the caller, so these are not compared.
    expect(checkIdentityAndDetails(chain, row, undefined)).toBeNull();
  });

  test.each([
    [{ verificationId: 'loan-2' }, 1],
    [{ userId: 'u-2' }, 1],
    [{ createdAt: recordedAt(9) }, 1],
    [{ referenceId: '1359' }, 2],
    [{ userTemplate: 'a' }, 2],
    [{ agentTemplate: 'a' }, 2],
    [{ replacesId: 'a' }, 2],
    [{ linkExpiresAt: recordedAt(40) }, 2],
    [{ personSalt: null }, 1],
  ] as [Partial<AuditedSessionColumns>, number][])(
    'checkIdentityAndDetails reports the edit %o of the session row',
    (changes, number) => {
      expect(check(changes)).toEqual({ number, what: `${EDITED}: ${Object.keys(changes)}` });
    },
  );

  test('checkIdentityAndDetails names all edited ids of a session row in one finding', () => {
    expect(check({ verificationId: 'loan-2', userId: 'u-2' })?.what).toBe(
      `${EDITED}: verificationId, userId`,
    );
  });

  test('checkIdentityAndDetails reports an edited or removed caller of the start intent (the stored request to start the session)', () => {
    expect(check({}, { ...ORIGIN, caller: 'mallory' })).toEqual({
      number: 1,
      what: 'the caller of its row of start_intent was edited',
    });
    expect(check({}, { ...ORIGIN, caller: null })?.number).toBe(1);
  });

  test('checkIdentityAndDetails reports a user row that was removed, exchanged, or erased without an ERASURE entry', () => {
    expect(check({}, { ...ORIGIN, user: null })).toEqual({
      number: 1,
      what: 'its row of vkyc_user was removed',
    });
    for (const user of [
      { ...USER, userId: 'u-2' },
      { ...USER, createdAt: recordedAt(7) },
    ])
      expect(check({}, { ...ORIGIN, user })).toEqual({
        number: 1,
        what: 'its row of vkyc_user was edited: userId, createdAt',
      });
    expect(check({}, { ...ORIGIN, user: { ...USER, erasedAt: recordedAt(5) } })).toEqual({
      number: 2,
      what: 'its row of vkyc_user was edited: erasedAt',
    });
    expect(
      checkIdentityAndDetails([], row, { ...ORIGIN, user: { ...USER, erasedAt: recordedAt(5) } })?.number,
    ).toBe(1);
  });

  test('the salt of the commitment (salted hash) to the person may be missing only if an ERASURE entry follows the SESSION entry', () => {
    const erased = { personSalt: null, erasedAt: recordedAt(3) };
    const origin = {
      ...ORIGIN,
      user: { userId: 'erased', createdAt: recordedAt(0), erasedAt: recordedAt(3) },
    };
    expect(check(erased, origin, chainWith(session(), details(LEARNED), ERASURE))).toBeNull();
    expect(check(erased, origin, chainWith(ERASURE, session(), details(LEARNED)))).toEqual({
      number: 2,
      what: `${EDITED}: personSalt`,
    });
    expect(check(erased, origin, chainWith(session(), details(LEARNED), ['DETAILS', {}]))?.number).toBe(1);
  });

  test('checkIdentityAndDetails accepts a missing salt if the SESSION entry has no commitment (salted hash) to the person', () => {
    const entries = chainWith(session({ person: null }), details(LEARNED));
    expect(check({ personSalt: null }, ORIGIN, entries)).toBeNull();
  });

  test('checkIdentityAndDetails reports a second SESSION entry in a chain', () => {
    expect(check({}, ORIGIN, chainWith(session(), details(LEARNED), session()))).toEqual({
      number: 3,
      what: 'inserted: an earlier entry already names the session',
    });
  });

  test('checkIdentityAndDetails reports an audit entry that changes a known detail, unless the detail is the expiry of the link', () => {
    const changed = chainWith(session({ referenceId: '1357' }), details(LEARNED));
    expect(check({}, ORIGIN, changed)).toEqual({
      number: 2,
      what: 'referenceId of its session was edited before this entry',
    });
    // A DETAILS entry may repeat a detail or leave it out.
    expect(
      check({}, ORIGIN, chainWith(session(), details(LEARNED), details(LEARNED), details({}))),
    ).toBeNull();
    // The command that binds a session to its chain (`boundBy`) may change details: it writes the values that
    // it finds.
    const bound = chainWith(session({ referenceId: '1357' }), details({ ...LEARNED, boundBy: 'root' }));
    expect(check({}, ORIGIN, bound)).toBeNull();
    // The row must have the newest value of the chain, not the first one.
    expect(check({ referenceId: '1357' }, ORIGIN, bound)).toEqual({
      number: 2,
      what: `${EDITED}: referenceId`,
    });
  });

  test('checkIdentityAndDetails does not compare details that no audit entry states, because chains of an earlier release lack them', () => {
    const earlier = chainWith(['ADOPTION', {}], details({ referenceId: '1358' }));
    expect(check({ userTemplate: 'a', userId: 'u-9' }, ORIGIN, earlier)).toBeNull();
    expect(check({ referenceId: '1359' }, ORIGIN, earlier)).toEqual({
      number: 2,
      what: `${EDITED}: referenceId`,
    });
    expect(check({}, ORIGIN, chainWith(['ADOPTION', {}]))).toBeNull();
    // Only SESSION and DETAILS entries state details; fields of the same name in other entries are ignored.
    const other = chainWith(['ADOPTION', { referenceId: 'x' }], ['REVIEW', { referenceId: 'y' }]);
    expect(check({}, ORIGIN, other)).toBeNull();
  });

  test('if several fields of the session row were edited, checkIdentityAndDetails reports the finding with the lowest entry number', () => {
    expect(check({ referenceId: '1359', userId: 'u-2' })?.number).toBe(1);
  });
});

describe('findDifferingDetails', () => {
  test('findDifferingDetails returns the details of the session row that its audit chain does not state', () => {
    expect(findDifferingDetails(chain, row, ORIGIN)).toEqual({});
    expect(findDifferingDetails(makeChain(session()), row, ORIGIN)).toEqual({
      referenceId: '1358',
      linkExpiresAt: recordedAt(50),
    });
    expect(findDifferingDetails([], row, ORIGIN)).toEqual({
      caller: 'olga',
      referenceId: '1358',
      linkExpiresAt: recordedAt(50),
    });
    expect(findDifferingDetails(chain, { ...row, referenceId: null }, ORIGIN)).toEqual({});
  });
});
