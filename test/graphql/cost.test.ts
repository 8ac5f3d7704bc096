import { readFileSync } from 'node:fs';
import { buildSchema, getOperationAST, type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { estimateOperationSize, findTooComplexError, type OperationSize } from '../../src/graphql/cost.ts';

const schema = buildSchema(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'));
const operationIn = (text: string, name?: string) => {
  const document = parse(text);
  return { schema, document, operation: getOperationAST(document, name) as OperationDefinitionNode };
};
const measure = (text: string, values: Record<string, unknown> = {}) =>
  estimateOperationSize({ ...operationIn(text), values });
const costOf = (text: string, values?: Record<string, unknown>) => measure(text, values).cost;
const valuesOf = (text: string, values?: Record<string, unknown>) => measure(text, values).values;

describe('estimateOperationSize', () => {
  test('estimateOperationSize: every mutation costs 10 or more', () => {
    const names = Object.keys(schema.getMutationType()?.getFields() ?? {});
    const cheap = names.filter((name) => costOf(`mutation { ${name}(input: {}) { __typename } }`) < 10);
    expect([names.length > 10, cheap]).toEqual([true, []]);
  });

  test('estimateOperationSize counts a text that staff wrote as three values, because it is encrypted, and a coded reason as one', () => {
    const ofSession = (fields: string) => valuesOf(`{ session(id: "x") { ${fields} } }`);
    expect(ofSession('notes(first: 10) { nodes { text } }')).toBe(30);
    expect(ofSession('closure { note reason }')).toBe(4);
    expect(ofSession('escalation { note resolution reason }')).toBe(7);
    expect(ofSession('disputeResolutions { note resolution }')).toBe(4);
    expect(ofSession('meetings(first: 10) { nodes { reason cancelReason } }')).toBe(60);
    expect(ofSession('reviews { remarks customerMessage }')).toBe(6);
    expect(ofSession('statusInfo { customerMessage }')).toBe(1);
  });

  test.each([
    ['an object costs 1, and each of its leaf fields counts as a value', '{ viewer { id expiresAt } }', 1, 2],
    ['a leaf field of Query costs at least 1', '{ __typename }', 1, 1],
    ['a list of leaves counts as five values', '{ viewer { roles } }', 1, 5],
    ['an encrypted value counts as three', '{ session(id: "x") { id startCursor link } }', 1, 7],
    [
      'a value of personal data counts as three',
      '{ session(id: "x") { user { name email phone userId } } }',
      2,
      10,
    ],
    ['the field statusCatalog has a cost of its own', '{ statusCatalog { status } }', 34, 1],
    ['introspection costs 100 at __schema, and nothing below it', '{ __schema { types { name } } }', 100, 1],
    ['__type costs less than __schema', '{ __type(name: "Query") { name } }', 10, 1],
    [
      'a mutation that calls the provider costs 20',
      'mutation { refreshSession(input: {}) { __typename } }',
      20,
      1,
    ],
    [
      'the size of a page multiplies the cost of an entry',
      '{ sessions(first: 7) { nodes { id status } } }',
      8,
      14,
    ],
    ['edges cost as much as nodes', '{ sessions(first: 7) { edges { node { id } } } }', 8, 7],
    ['a cursor of an edge is encrypted', '{ sessions(first: 7) { edges { cursor } } }', 1, 21],
    [
      'a field of the whole list counts once, not for each entry',
      '{ sessions(first: 7) { totalCount pageInfo { endCursor hasNextPage } } }',
      11,
      5,
    ],
    ['a page by `last` costs as much as a page by `first`', '{ sessions(last: 7) { nodes { id } } }', 8, 7],
    ['a page without a size, which is refused, counts as one entry', '{ sessions { nodes { id } } }', 2, 1],
    ['a page has at most 100 entries', '{ sessions(first: 900) { nodes { id } } }', 101, 100],
    ['a page has at least one entry', '{ sessions(first: -3) { nodes { id } } }', 2, 1],
    ['a list of ids counts as a page of that size', '{ nodes(ids: ["a", "b", "c"]) { id } }', 3, 3],
    [
      'slots cost 50, and their values count for as many slots as there may be',
      '{ meetingSlots(from: "", to: "") { startsAt free } }',
      50,
      3_000,
    ],
    [
      'a page of meetings costs one for each meeting and one for its session',
      '{ meetings(first: 7) { nodes { startsAt session { id } } } }',
      15,
      14,
    ],
    ['an empty list of ids counts as one entry', '{ nodes(ids: []) { id } }', 1, 1],
    [
      'the sizes of nested pages multiply',
      '{ sessions(first: 3) { nodes { transitions(first: 4) { nodes { sequence } } } } }',
      19,
      12,
    ],
    [
      'the values of labels count as if the session had all that it may have',
      '{ sessions(first: 2) { nodes { tags metadata { key value } } } }',
      5,
      140,
    ],
    [
      'a fragment counts at each spread',
      '{ viewer { ...F ...F ... { id } ... on Viewer { id } } } fragment F on Viewer { id }',
      1,
      4,
    ],
    [
      'a fragment in a page counts once for each entry',
      '{ sessions(first: 5) { ...F } } fragment F on VkycSessionConnection { nodes { id } }',
      6,
      5,
    ],
    [
      'a fragment in two pages counts by the size of each page',
      '{ a: sessions(first: 5) { ...F } b: sessions(first: 2) { ...F } } fragment F on VkycSessionConnection { nodes { id } }',
      9,
      7,
    ],
    ['a fragment that is missing counts as nothing', '{ viewer { id ...Missing } }', 1, 1],
    [
      'a fragment on an unknown type counts as nothing',
      '{ viewer { id ...F } } fragment F on Nothing { id }',
      1,
      1,
    ],
    [
      'an inline fragment on an unknown type counts as if on the parent type',
      '{ viewer { ... on Nothing { id } } }',
      1,
      1,
    ],
    [
      'a fragment on one type of an interface counts by that type',
      '{ node(id: "x") { ... on VkycSession { link } } }',
      1,
      3,
    ],
    [
      'statistics of all sessions cost 20 times as much as statistics of open sessions',
      '{ sessionStats { total } }',
      201,
      20,
    ],
    [
      'statistics of open sessions cost 10, and 1 for their object',
      '{ sessionStats(openOnly: true) { total } }',
      11,
      1,
    ],
    [
      'a look-up of people by phone costs 100, and each field below it counts for 20 people',
      '{ users(phone: "9988776655") { userId sessions(first: 5) { nodes { id } } } }',
      220,
      120,
    ],
    ['an operation that asks for nothing costs 1', '{ nothing }', 1, 1],
    ['an invalid argument counts as missing', '{ nodes(ids: null) { id } }', 1, 1],
  ])('estimateOperationSize: %s: %s', (_name, text, cost, values) => {
    expect(measure(text)).toEqual({ cost, values });
  });

  test.each([
    ['Query.transitionRules', '{ transitionRules { action } }', 100],
    ['SessionStats.byStatus', '{ sessionStats(openOnly: true) { byStatus { count } } }', 21],
    ['SessionStats.byWaitingOn', '{ sessionStats(openOnly: true) { byWaitingOn { count } } }', 11],
    ['SessionStats.funnel', '{ sessionStats(openOnly: true) { funnel { reached } } }', 51],
    [
      'FunnelStage.medianSecondsSpent',
      '{ sessionStats(openOnly: true) { funnel { medianSecondsSpent } } }',
      101,
    ],
    ['SessionStats.intervals', '{ sessionStats(openOnly: true) { intervals(step: DAY) { started } } }', 21],
    ['Mutation.startSession', 'mutation { startSession(input: {}) { __typename } }', 20],
    ['Mutation.scheduleMeeting', 'mutation { scheduleMeeting(input: {}) { __typename } }', 10],
    ['Mutation.cancelMeeting', 'mutation { cancelMeeting(input: {}) { __typename } }', 10],
    ['Mutation.recordAgentReview', 'mutation { recordAgentReview(input: {}) { __typename } }', 10],
    ['Mutation.recordAuditorReview', 'mutation { recordAuditorReview(input: {}) { __typename } }', 10],
    ['Mutation.closeSession', 'mutation { closeSession(input: {}) { __typename } }', 10],
    ['Mutation.addNote', 'mutation { addNote(input: {}) { __typename } }', 10],
    ['Mutation.escalateSession', 'mutation { escalateSession(input: {}) { __typename } }', 10],
    ['Mutation.resolveEscalation', 'mutation { resolveEscalation(input: {}) { __typename } }', 10],
    ['Mutation.resolveDispute', 'mutation { resolveDispute(input: {}) { __typename } }', 10],
    ['Mutation.assignAgent', 'mutation { assignAgent(input: {}) { __typename } }', 10],
    ['Mutation.unassignAgent', 'mutation { unassignAgent(input: {}) { __typename } }', 10],
    ['Mutation.claimNext', 'mutation { claimNext(input: {}) { __typename } }', 10],
    ['Mutation.replayWebhooks', 'mutation { replayWebhooks(input: {}) { __typename } }', 100],
    ['Query.merchantEndpoints', '{ merchantEndpoints { name } }', 20],
    ['Query.webhookDeliveries', '{ webhookDeliveries(first: 1) { nodes { id } } }', 11],
    ['Mutation.requestRecording', 'mutation { requestRecording(input: {}) { __typename } }', 20],
    ['Mutation.createSdkToken', 'mutation { createSdkToken(input: {}) { __typename } }', 20],
  ])('estimateOperationSize: the field %s has its own cost: %s costs %i', (_field, text, cost) => {
    expect(costOf(text)).toBe(cost);
  });

  test('estimateOperationSize uses the values of variables, and measures an operation again if a value changes', () => {
    const page = operationIn('query ($n: Int) { sessions(first: $n) { nodes { id } } }');
    const amounts = [7, 8, 7, undefined, null].map(
      (n) => estimateOperationSize({ ...page, values: n === undefined ? {} : { n } }).values,
    );
    expect(amounts).toEqual([7, 8, 7, 1, 1]);
    const lists = operationIn('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }');
    const ofLists = [['a'], ['b', 'c'], []].map((ids) => costOfList(lists, ids));
    expect(ofLists).toEqual([1, 2, 1]);
    const flags = operationIn('query ($open: Boolean!) { sessionStats(openOnly: $open) { total } }');
    const ofFlags = [true, false, true].map(
      (open) => estimateOperationSize({ ...flags, values: { open } }).cost,
    );
    expect(ofFlags).toEqual([11, 201, 11]);
  });

  const costOfList = (asked: ReturnType<typeof operationIn>, ids: string[]) =>
    estimateOperationSize({ ...asked, values: { ids } }).cost;

  test('estimateOperationSize counts a list argument whose items are variables as a page with one entry per item', () => {
    const asked = operationIn('query ($a: ID!, $b: ID!) { nodes(ids: [$a, $b]) { id } }');
    expect(estimateOperationSize({ ...asked, values: { a: 'x', b: 'y' } }).cost).toBe(2);
    // `$b` has no value, so `ids` is invalid and counts as one entry. graphql-js reports the error later.
    expect(estimateOperationSize({ ...asked, values: { a: 'x' } }).cost).toBe(1);
  });

  test('estimateOperationSize caches the result of an operation by its page sizes, and keeps at most a hundred results', () => {
    const asked = operationIn(
      'query ($n: Int, $x: ID!) { sessions(first: $n) { nodes { id } } session(id: $x) { id } }',
    );
    const at = (n: number, x = 'x') => estimateOperationSize({ ...asked, values: { n, x } });
    const first = at(1);
    expect(at(1, 'another')).toBe(first);
    for (let n = 2; n <= 100; n += 1) at(n);
    expect(at(1)).toBe(first);
    at(101);
    expect(at(1)).not.toBe(first);
    expect(at(1)).toEqual(first);
  });
});

describe('findTooComplexError', () => {
  const refuse = (amount: OperationSize, kind = 'query') =>
    findTooComplexError(amount, { operation: kind } as OperationDefinitionNode);

  test.each([
    ['query', { cost: 25_000, values: 100_000 }, null],
    ['query', { cost: 25_001, values: 0 }, /^This operation costs 25001; the limit is 25000/],
    ['mutation', { cost: 25_000, values: 0 }, null],
    [
      'query',
      { cost: 1, values: 100_001 },
      /^The result of this operation may contain 100001 values; the limit is 100000/,
    ],
    ['subscription', { cost: 1_000, values: 0 }, null],
    [
      'subscription',
      { cost: 1_001, values: 0 },
      /^Each frame of this subscription costs 1001; the limit is 1000/,
    ],
  ] as const)('findTooComplexError for a %s of %o returns %s', (kind, amount, message) => {
    const error = refuse(amount, kind);
    if (message === null) expect(error).toBeNull();
    else
      expect(error).toMatchObject({
        message: expect.stringMatching(message),
        extensions: { code: 'QUERY_TOO_COMPLEX', http: { status: 400 } },
      });
  });
});

test('estimateOperationSize recognises encrypted fields by their names and counts each as three values', () => {
  expect(valuesOf('{ session(id: "x") { transitions(first: 1) { nodes { cursor previousCursor } } } }')).toBe(
    6,
  );
  expect(valuesOf('{ session(id: "x") { reviews { remarks reviewer } meeting { cancelReason } } }')).toBe(7);
});
