import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  ACTION_ROLES,
  findFieldRule,
  getPossibleRecordedNames,
  getRecordedName,
  getViewerCacheKey,
  getVisibleVerificationIds,
  hasAnyRole,
  hasAnyRoleOnSession,
  isRecordedNameOf,
  isStaff,
  isVisibleToAllStaff,
  maySeeField,
  maySeeSession,
  OPERATION_ROLES,
  PERSONAL_DATA_ROLES,
  type Role,
  type Viewer,
} from '../../src/domain/access.ts';
import { formatAccessTable, replaceAccessTable } from '../../src/domain/access-table.ts';

const ROLES = ['CUSTOMER', 'VIEWER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'] as const;
const as = (roles: readonly Role[], changes: Partial<Viewer> = {}): Viewer => ({
  id: 'asha',
  roles,
  verificationIds: ['loan-1'],
  expiresAt: null,
  ...changes,
});
const customer = as(['CUSTOMER']);

describe('access tables: roles per operation and action', () => {
  test('the access table lets every role use every query and subscription but the search by phone and the merchant webhooks, VIEWER no mutation, and only OPERATOR and ADMIN startSession', () => {
    const limited = ['Query.users', 'Query.merchantEndpoints', 'Query.webhookDeliveries'];
    for (const [operation, roles] of Object.entries(OPERATION_ROLES)) {
      if (operation.startsWith('Mutation.')) expect(roles, operation).not.toContain('VIEWER');
      else if (!limited.includes(operation)) expect(roles, operation).toEqual(ROLES);
    }
    expect(OPERATION_ROLES['Query.users']).toEqual(['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN']);
    expect(OPERATION_ROLES['Query.merchantEndpoints']).toEqual(['ADMIN']);
    expect(OPERATION_ROLES['Query.webhookDeliveries']).toEqual(['ADMIN']);
    expect(OPERATION_ROLES['Mutation.replayWebhooks']).toEqual(['ADMIN']);
    expect(OPERATION_ROLES['Mutation.startSession']).toEqual(['OPERATOR', 'ADMIN']);
  });

  test('only AGENT and ADMIN may record agent reviews, only AUDITOR and ADMIN may record auditor reviews, and only VIEWER sees no personal data', () => {
    expect(ACTION_ROLES).toEqual({
      SCHEDULE_MEETING: ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      CANCEL_MEETING: ['CUSTOMER', 'OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      RECORD_AGENT_REVIEW: ['AGENT', 'ADMIN'],
      RECORD_AUDITOR_REVIEW: ['AUDITOR', 'ADMIN'],
      REFRESH: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      REQUEST_RECORDING: ['AGENT', 'AUDITOR', 'ADMIN'],
      CREATE_SDK_TOKEN: ['CUSTOMER', 'OPERATOR', 'ADMIN'],
      CLOSE: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      REPLACE: ['OPERATOR', 'ADMIN'],
      RESOLVE_DISPUTE: ['AUDITOR', 'ADMIN'],
      ADD_NOTE: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      ESCALATE: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      RESOLVE_ESCALATION: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      ASSIGN: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      UNASSIGN: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      LABEL: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
      NOTIFY: ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN'],
    });
    expect(PERSONAL_DATA_ROLES).toEqual(ROLES.filter((role) => role !== 'VIEWER'));
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
  ])("findFieldRule('%s', '%s') returns the access rule %s", (type, field, rule) => {
    expect(findFieldRule(type, field)).toBe(rule);
  });
});

describe('viewer', () => {
  test('hasRole checks the roles of the token; hasAnyRoleOnSession grants CUSTOMER only on the sessions (verification ids) that the token names', () => {
    expect(hasAnyRole(as(['AGENT', 'VIEWER']), ['VIEWER', 'ADMIN'])).toBe(true);
    expect(hasAnyRole(as(['AGENT']), ['VIEWER', 'ADMIN'])).toBe(false);
    expect(hasAnyRole(as([]), ROLES)).toBe(false);
    expect(hasAnyRoleOnSession(customer, ['CUSTOMER'], 'loan-1')).toBe(true);
    expect(hasAnyRoleOnSession(customer, ['CUSTOMER'], 'loan-2')).toBe(false);
    expect(hasAnyRoleOnSession(customer, ['AGENT'], 'loan-1')).toBe(false);
    expect(hasAnyRoleOnSession(as(['AGENT']), ['AGENT'], 'loan-2')).toBe(true);
    expect(hasAnyRoleOnSession(as(['CUSTOMER', 'AGENT']), ['AGENT', 'CUSTOMER'], 'loan-2')).toBe(true);
  });

  test('two viewers get the same getViewerCacheKey only if their ids, roles and verification ids are equal', () => {
    expect(getViewerCacheKey(customer)).toBe(getViewerCacheKey({ ...customer, expiresAt: new Date(0) }));
    const others = [
      as(['AGENT']),
      as(['CUSTOMER'], { id: 'uma' }),
      as(['CUSTOMER'], { verificationIds: [] }),
    ];
    for (const other of others) expect(getViewerCacheKey(other)).not.toBe(getViewerCacheKey(customer));
  });

  test('a customer who has pseudonyms (keyed hashes of the id) is recorded under the newest one, and recognised by each of them and by the plain id', () => {
    const hidden = as(['CUSTOMER'], { pseudonyms: ['new', 'old'] });
    expect([getRecordedName(hidden), getRecordedName(customer)]).toEqual(['new', 'asha']);
    expect([getPossibleRecordedNames(hidden), getPossibleRecordedNames(customer)]).toEqual([
      ['new', 'old', 'asha'],
      ['asha'],
    ]);
    for (const name of ['new', 'old', 'asha']) expect(isRecordedNameOf(hidden, name)).toBe(true);
    for (const name of ['uma', null, undefined])
      expect([isRecordedNameOf(hidden, name), isRecordedNameOf(customer, name)]).toEqual([false, false]);
    expect(isRecordedNameOf(customer, 'asha')).toBe(true);
  });

  test('a viewer with a staff role sees all sessions, any other viewer only the sessions (verification ids) that the token names', () => {
    for (const role of ROLES) {
      const isCustomer = role === 'CUSTOMER';
      expect(isStaff(as([role])), role).toBe(!isCustomer);
      expect(getVisibleVerificationIds(as([role])), role).toEqual(isCustomer ? ['loan-1'] : null);
      expect([maySeeSession(as([role]), 'loan-1'), maySeeSession(as([role]), 'loan-2')]).toEqual([
        true,
        !isCustomer,
      ]);
    }
    expect(isStaff(as([]))).toBe(false);
    expect(getVisibleVerificationIds(as(['CUSTOMER', 'VIEWER']))).toBeNull();
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
  ] as const)('maySeeField shows fields with the access rule %s only to the roles %j', (rule, roles) => {
    const seen = ROLES.filter((role) => maySeeField(as([role]), rule, { verificationId: 'loan-1' }));
    expect(seen).toEqual(roles);
    expect(isVisibleToAllStaff(rule)).toBe(
      ROLES.filter((role) => role !== 'CUSTOMER').every((role) => seen.includes(role)),
    );
  });

  test('maySeeField shows a customer the personal data of their own sessions only; if called without a session, it checks the role alone', () => {
    expect(maySeeField(customer, 'PERSONAL', { verificationId: 'loan-2' })).toBe(false);
    expect(maySeeField(customer, 'PERSONAL', {})).toBe(true);
  });

  test('if maySeeField is called without a session, a viewer who is both customer and staff needs a staff role that may see the field', () => {
    expect(maySeeField(as(['CUSTOMER', 'VIEWER']), 'PERSONAL', {})).toBe(false);
    expect(maySeeField(as(['CUSTOMER', 'AGENT']), 'PERSONAL', {})).toBe(true);
  });

  test('maySeeField shows authors their own texts and name even if their role may not see them, but no other hidden field', () => {
    const owner = { verificationId: 'loan-1', author: 'asha' };
    expect(maySeeField(customer, 'WORDS', owner)).toBe(true);
    expect(maySeeField(customer, 'WHO', owner)).toBe(true);
    expect(maySeeField(customer, 'WHO', { ...owner, author: 'uma' })).toBe(false);
    expect(maySeeField(as(['VIEWER']), 'PERSONAL', owner)).toBe(false);
  });
});

describe('access table in schema/README.md', () => {
  const page = readFileSync(new URL('../../schema/README.md', import.meta.url), 'utf8');
  const [BEGIN, END] = ['<!-- roles: printed by `npm run roles` -->', '<!-- roles: end -->'];

  test('the access table in schema/README.md is current, and operations with the same roles share a row', () => {
    expect(replaceAccessTable(page)).toBe(page);
    expect(formatAccessTable().split('\n').slice(0, 4)).toEqual([
      '|  | `CUSTOMER` | `VIEWER` | `OPERATOR` | `AGENT` | `AUDITOR` | `ADMIN` |',
      '| --- | :-: | :-: | :-: | :-: | :-: | :-: |',
      '| queries, subscriptions | own | ✓ | ✓ | ✓ | ✓ | ✓ |',
      '| `Query.users`, `closeSession`, `addNote`, `escalateSession`, `resolveEscalation`, `labelSession`, `notifyCustomer`, `assignAgent`, `unassignAgent`, `refreshSession` |  |  | ✓ | ✓ | ✓ | ✓ |',
    ]);
  });

  test('replaceAccessTable replaces only the text between the two markers', () => {
    expect(replaceAccessTable(`a ${BEGIN} old ${END} b`)).toBe(
      `a ${BEGIN}\n\n${formatAccessTable()}\n\n${END} b`,
    );
  });

  test.each(['', BEGIN, END])(
    'replaceAccessTable refuses the document %j, which lacks a marker',
    (document) => {
      expect(() => replaceAccessTable(document)).toThrow('add both markers');
    },
  );
});
