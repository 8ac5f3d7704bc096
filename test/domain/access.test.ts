import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  ACTION_ROLES,
  allStaffSee,
  findFieldRule,
  hasRole,
  hasRoleOn,
  isNamed,
  isStaff,
  maySee,
  maySeeField,
  OPERATIONS,
  type Role,
  recordedAs,
  recordedNames,
  SEES_PERSONAL_DATA,
  type Viewer,
  viewerCacheKey,
  visibleVerificationIds,
} from '../../src/domain/access.ts';
import { accessAsMarkdown, withAccessTable } from '../../src/domain/access-table.ts';

const ROLES = ['CUSTOMER', 'VIEWER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'] as const;
const as = (roles: readonly Role[], changes: Partial<Viewer> = {}): Viewer => ({
  id: 'asha',
  roles,
  verificationIds: ['loan-1'],
  expiresAt: null,
  ...changes,
});
const customer = as(['CUSTOMER']);

describe('the access tables', () => {
  test('open every query and subscription to every role, and mutations to fewer', () => {
    for (const [operation, roles] of Object.entries(OPERATIONS)) {
      if (operation.startsWith('Mutation.')) expect(roles, operation).not.toContain('VIEWER');
      else expect(roles, operation).toEqual(ROLES);
    }
    expect(OPERATIONS['Mutation.startSession']).toEqual(['OPERATOR', 'ADMIN']);
  });

  test('allow agent reviews only to agents, and auditor reviews only to auditors', () => {
    expect(ACTION_ROLES).toEqual({
      SCHEDULE_MEETING: ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      CANCEL_MEETING: ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      RECORD_AGENT_REVIEW: ['AGENT', 'ADMIN'],
      RECORD_AUDITOR_REVIEW: ['AUDITOR', 'ADMIN'],
      REFRESH: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      REQUEST_RECORDING: ['AGENT', 'AUDITOR', 'ADMIN'],
      CREATE_SDK_TOKEN: ['CUSTOMER', 'OPERATOR', 'ADMIN'],
    });
    expect(SEES_PERSONAL_DATA).toEqual(ROLES.filter((role) => role !== 'VIEWER'));
  });

  test.each([
    ['VkycSession', 'id', 'OPEN'],
    ['VkycSession', 'blockedActions', 'OPEN'],
    ['VkycSession', 'link', 'PERSONAL'],
    ['VkycUser', 'email', 'PERSONAL'],
    ['VkycUser', 'phone', 'PHONE'],
    ['Meeting', 'cancelledBy', 'WHO'],
    ['Review', 'remarks', 'WORDS'],
    ['RequestRecordingSuccess', 'recording', 'RECORDING'],
    ['CreateSdkTokenSuccess', 'token', 'SDK_TOKEN'],
    ['VkycSession', 'password', null],
    ['VkycSession', '', null],
    ['Nothing', 'id', null],
  ])('rule of %s.%s: %s', (type, field, rule) => {
    expect(findFieldRule(type, field)).toBe(rule);
  });
});

describe('a viewer', () => {
  test('has the roles of the token, and CUSTOMER only on their own sessions', () => {
    expect(hasRole(as(['AGENT', 'VIEWER']), ['VIEWER', 'ADMIN'])).toBe(true);
    expect(hasRole(as(['AGENT']), ['VIEWER', 'ADMIN'])).toBe(false);
    expect(hasRole(as([]), ROLES)).toBe(false);
    expect(hasRoleOn(customer, ['CUSTOMER'], 'loan-1')).toBe(true);
    expect(hasRoleOn(customer, ['CUSTOMER'], 'loan-2')).toBe(false);
    expect(hasRoleOn(customer, ['AGENT'], 'loan-1')).toBe(false);
    expect(hasRoleOn(as(['AGENT']), ['AGENT'], 'loan-2')).toBe(true);
    expect(hasRoleOn(as(['CUSTOMER', 'AGENT']), ['AGENT', 'CUSTOMER'], 'loan-2')).toBe(true);
  });

  test('shares cached results with viewers who have the same id, roles and sessions', () => {
    expect(viewerCacheKey(customer)).toBe(viewerCacheKey({ ...customer, expiresAt: new Date(0) }));
    const others = [
      as(['AGENT']),
      as(['CUSTOMER'], { id: 'uma' }),
      as(['CUSTOMER'], { verificationIds: [] }),
    ];
    for (const other of others) expect(viewerCacheKey(other)).not.toBe(viewerCacheKey(customer));
  });

  test('is recorded under the newest pseudonym, and recognised by all of them', () => {
    const hidden = as(['CUSTOMER'], { pseudonyms: ['new', 'old'] });
    expect([recordedAs(hidden), recordedAs(customer)]).toEqual(['new', 'asha']);
    expect([recordedNames(hidden), recordedNames(customer)]).toEqual([['new', 'old', 'asha'], ['asha']]);
    for (const name of ['new', 'old', 'asha']) expect(isNamed(hidden, name)).toBe(true);
    for (const name of ['uma', null, undefined])
      expect([isNamed(hidden, name), isNamed(customer, name)]).toEqual([false, false]);
    expect(isNamed(customer, 'asha')).toBe(true);
  });

  test('sees all sessions with a staff role, otherwise their own', () => {
    for (const role of ROLES) {
      const isCustomer = role === 'CUSTOMER';
      expect(isStaff(as([role])), role).toBe(!isCustomer);
      expect(visibleVerificationIds(as([role])), role).toEqual(isCustomer ? ['loan-1'] : null);
      expect([maySee(as([role]), 'loan-1'), maySee(as([role]), 'loan-2')]).toEqual([true, !isCustomer]);
    }
    expect(isStaff(as([]))).toBe(false);
    expect(visibleVerificationIds(as(['CUSTOMER', 'VIEWER']))).toBeNull();
  });
});

describe('maySeeField', () => {
  test.each([
    ['OPEN', ['CUSTOMER', 'VIEWER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN']],
    ['PERSONAL', ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN']],
    ['PHONE', ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN']],
    ['WORDS', ['VIEWER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN']],
    ['WHO', ['VIEWER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN']],
    ['RECORDING', ['AGENT', 'AUDITOR', 'ADMIN']],
    ['SDK_TOKEN', ['CUSTOMER', 'OPERATOR', 'ADMIN']],
  ] as const)('shows %s to %j', (rule, roles) => {
    const seen = ROLES.filter((role) => maySeeField(as([role]), rule, { verificationId: 'loan-1' }));
    expect(seen).toEqual(roles);
    expect(allStaffSee(rule)).toBe(
      ROLES.filter((role) => role !== 'CUSTOMER').every((role) => seen.includes(role)),
    );
  });

  test('shows a customer only fields of their own sessions', () => {
    expect(maySeeField(customer, 'PERSONAL', { verificationId: 'loan-2' })).toBe(false);
    expect(maySeeField(customer, 'PERSONAL', {})).toBe(true);
  });

  test('asks a viewer who is a customer and staff for a staff role if no session is known', () => {
    expect(maySeeField(as(['CUSTOMER', 'VIEWER']), 'PERSONAL', {})).toBe(false);
    expect(maySeeField(as(['CUSTOMER', 'AGENT']), 'PERSONAL', {})).toBe(true);
  });

  test('shows authors their own texts and name, but no other field', () => {
    const owner = { verificationId: 'loan-1', author: 'asha' };
    expect(maySeeField(customer, 'WORDS', owner)).toBe(true);
    expect(maySeeField(customer, 'WHO', owner)).toBe(true);
    expect(maySeeField(customer, 'WHO', { ...owner, author: 'uma' })).toBe(false);
    expect(maySeeField(as(['VIEWER']), 'PERSONAL', owner)).toBe(false);
  });
});

describe('the printed access table', () => {
  const page = readFileSync(new URL('../../schema/README.md', import.meta.url), 'utf8');
  const [BEGIN, END] = ['<!-- roles: printed by `npm run roles` -->', '<!-- roles: end -->'];

  test('equals that of the page for frontend teams, with one row for all operations of the same roles', () => {
    expect(withAccessTable(page)).toBe(page);
    expect(accessAsMarkdown().split('\n').slice(0, 4)).toEqual([
      '|  | `CUSTOMER` | `VIEWER` | `OPERATOR` | `AGENT` | `AUDITOR` | `ADMIN` |',
      '| --- | :-: | :-: | :-: | :-: | :-: | :-: |',
      '| queries, subscriptions | own | ✓ | ✓ | ✓ | ✓ | ✓ |',
      '| `startSession` |  |  | ✓ |  |  | ✓ |',
    ]);
  });

  test('replaces what stands between the two markers and nothing else', () => {
    expect(withAccessTable(`a ${BEGIN} old ${END} b`)).toBe(
      `a ${BEGIN}\n\n${accessAsMarkdown()}\n\n${END} b`,
    );
  });

  test.each(['', BEGIN, END])('is refused by a document with only %j', (document) => {
    expect(() => withAccessTable(document)).toThrow('add both markers');
  });
});
