/**
 * Tables of the console must be complete (Record, not Partial): when a status is added, the compiler then reports
 * each table that lacks the status.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  getNextStepColumn,
  getStepColumn,
  PHASE_COLUMN_SPANS,
} from '../../src/console/session/journey-steps.ts';
import { PERSONAL_DATA_ROLES } from '../../src/domain/access.ts';
import { APPROVAL_REASONS as ALLOWED_REASONS } from '../../src/domain/review-reasons.ts';
import { ALL_PAIRS, KNOWN_PAIRS, STATUSES, SUB_STATUSES } from '../../src/domain/status.ts';
import { importConsole } from './in-node.ts';

const { APPROVAL_DOUBT_REASONS, getStatusTone, keepKnownSubStatuses, PHASE_LABELS } =
  await importConsole('look/labels.ts');

const CONSOLE = 'src/console';

describe("the console's status tables", () => {
  test('no table of the console is a Partial<Record> over statuses, and no code of the console matches status names by a pattern', async () => {
    const files = (await readdir(CONSOLE, { recursive: true })).filter(
      (name) => /\.tsx?$/.test(name) && name !== 'operations.ts',
    );
    const found: string[] = [];
    for (const name of files) {
      const source = await readFile(join(CONSOLE, name), 'utf8');
      for (const [index, line] of source.split('\n').entries()) {
        const isPartial = /Partial<Record<(Status|SubStatus|Party|SessionAction|Role)\b/.test(line);
        const isPattern = /\/[^/\n]*[A-Z]{2,}_[A-Z_]+[^/\n]*\/[gimsuy]*[;.),]/.test(line);
        const isPrefix = /\.(startsWith|endsWith|includes)\('[A-Z_]{3,}'\)/.test(line);
        if (isPartial || isPattern || isPrefix) found.push(`${name}:${index + 1} ${line.trim()}`);
      }
    }
    expect(found).toEqual([]);
  });

  test('the console gives every status pair a colour group, and only AUDITOR_APPROVED is in `good`', () => {
    const tones = new Map(ALL_PAIRS.map((pair) => [`${pair.status}/${pair.subStatus}`, getStatusTone(pair)]));

    const named = (tone: string) => [...tones].filter(([, each]) => each === tone).map(([name]) => name);
    expect(named('good')).toEqual(['AUDITOR_REVIEWED/AUDITOR_APPROVED']);
    expect(named('bad').toSorted()).toEqual([
      'AGENT_REVIEWED/AGENT_REJECTED',
      'AUDITOR_REVIEWED/AUDITOR_REJECTED',
      'EXPIRED/UNRECOGNIZED',
      'EXPIRED/VKYC_EXPIRED',
      'FAILED/FAILED_BY_MERCHANT',
      'FAILED/REPLACED',
      'FAILED/TECHNICAL_ERROR',
      'FAILED/UNRECOGNIZED',
      'REJECTED/INSUFFICIENT_BALANCE',
      'REJECTED/REJECTED_BY_MERCHANT',
      'REJECTED/UNRECOGNIZED',
    ]);
    for (const { status, subStatus, waitingOn, terminal } of KNOWN_PAIRS)
      if (terminal)
        expect([subStatus, waitingOn, getStatusTone({ status, subStatus })]).not.toContain('going');
  });

  test('every status pair has a column on the journey map of the console, and none is beyond the last column', () => {
    const ends = PHASE_COLUMN_SPANS.reduce((columns, { count }) => columns + count, 0);

    for (const pair of ALL_PAIRS) {
      expect(getStepColumn(pair)).toBeGreaterThanOrEqual(0);
      expect(getStepColumn(pair)).toBeLessThanOrEqual(ends);
      expect(getNextStepColumn(pair)).toBeLessThanOrEqual(ends);
    }
  });

  test('the console shows a status pair that only a later release knows as in progress', () => {
    const later = { status: 'VIDEO_CALL', subStatus: 'USER_WAVED' } as never;

    expect(getStatusTone(later)).toBe('going');
    expect(getStepColumn(later)).toBe(getStepColumn({ status: 'VIDEO_CALL', subStatus: 'AGENT_ENDED_CALL' }));
  });

  test('the console has a label for every status, and keeps, of the sub-statuses in the filter of a URL, exactly the known ones', () => {
    expect(Object.keys(PHASE_LABELS)).toEqual([...STATUSES]);
    expect(keepKnownSubStatuses([...SUB_STATUSES, 'USER_WAVED', 'toString'])).toEqual([...SUB_STATUSES]);
  });

  test('the console asks for names of customers for exactly the roles that the gateway lets see them', async () => {
    const { CUSTOMER_NAME_ROLES } = await importConsole('live/customer-names.ts');

    expect(CUSTOMER_NAME_ROLES).toEqual(PERSONAL_DATA_ROLES);
  });

  test('for an approval, the console offers exactly the reasons that the gateway accepts with an approval', () => {
    expect(APPROVAL_DOUBT_REASONS).toEqual(ALLOWED_REASONS);
  });
});
