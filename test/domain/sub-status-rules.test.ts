import { expect, test } from 'vitest';
import { KNOWN_PAIRS, type SubStatus } from '../../src/domain/status.ts';
import {
  findSubStatusesByRule,
  getSubStatusRules,
  SUB_STATUS_RULES,
} from '../../src/domain/sub-status-rules.ts';

test('SUB_STATUS_RULES let a session be polled, and let it have meetings, only in sub-statuses that the status table does not call terminal', () => {
  const terminal = KNOWN_PAIRS.filter((info) => info.terminal).map(({ subStatus }) => subStatus);
  expect(findSubStatusesByRule(({ polls }) => polls === null)).toEqual(terminal);
  expect(findSubStatusesByRule(({ noMeeting }) => noMeeting === 'The session is over.')).toEqual(terminal);
});

test('a sub-status that only a later release knows has the rules of UNRECOGNIZED', () => {
  expect(getSubStatusRules('OF_A_LATER_RELEASE' as SubStatus)).toBe(SUB_STATUS_RULES.UNRECOGNIZED);
});
