import { expect, test } from 'vitest';
import { bootGateway } from '../harness/gateway.ts';

const gateway = await bootGateway();
for (const index of [1, 2, 3, 4, 5]) await gateway.start(`list.${index}`);
await gateway.advance('list.2', 1);
await gateway.advance('list.4', 1);

const PAGE = `query ($first: Int, $after: String, $filter: SessionFilter) {
  sessions(first: $first, after: $after, filter: $filter) {
    totalCount nodes { verificationId } edges { cursor } pageInfo { hasNextPage endCursor }
  }
}`;

const page = async (variables: object) => (await gateway.graphql(PAGE, variables)).data.sessions;
const ids = (connection: any) => connection.nodes.map((node: any) => node.verificationId);

test('pages of sessions are ordered newest first and contain each session once', async () => {
  const first = await page({ first: 2 });
  const second = await page({ first: 2, after: first.pageInfo.endCursor });
  const third = await page({ first: 2, after: second.pageInfo.endCursor });

  expect([ids(first), ids(second), ids(third)]).toEqual([
    ['list.5', 'list.4'],
    ['list.3', 'list.2'],
    ['list.1'],
  ]);
  expect([first, second, third].map((each) => each.pageInfo.hasNextPage)).toEqual([true, true, false]);
  expect(first.totalCount).toBe(5);
});

test('a new session does not shift the pages after a cursor', async () => {
  const first = await page({ first: 2, filter: { status: ['RECEIVED', 'PRE_VIDEO_CALL'] } });
  await gateway.start('list.6');

  expect(ids(await page({ first: 2, after: first.pageInfo.endCursor }))).toEqual(['list.3', 'list.2']);
});

test('sessions are filtered by status and sub-status', async () => {
  await expect
    .poll(async () => ids(await page({ first: 10, filter: { subStatus: ['AADHAAR_VERIFICATION_SUCCESS'] } })))
    .toEqual(['list.4', 'list.2']);
  expect((await page({ first: 10, filter: { status: ['PRE_VIDEO_CALL'] } })).totalCount).toBe(2);
});

test("a session's log of transitions can be paged from either end", async () => {
  const LOG = `query ($id: String!, $first: Int, $last: Int, $after: String, $before: String) {
    sessionByVerificationId(verificationId: $id) {
      transitions(first: $first, last: $last, after: $after, before: $before) {
        nodes { sequence } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }
  }`;
  await gateway.start('paged.happy-path');
  await gateway.advance('paged.happy-path', 13);
  const log = async (variables: object) =>
    (await gateway.graphql(LOG, { id: 'paged.happy-path', ...variables })).data.sessionByVerificationId
      .transitions;
  const sequences = (connection: any) => connection.nodes.map((node: any) => node.sequence);
  await expect.poll(async () => sequences(await log({ last: 1 }))).toEqual([14]);

  const first = await log({ first: 5 });
  const last = await log({ last: 3 });
  const middle = await log({
    first: 100,
    after: first.pageInfo.endCursor,
    before: last.pageInfo.startCursor,
  });

  expect([sequences(first), sequences(middle), sequences(last)]).toEqual([
    [1, 2, 3, 4, 5],
    [6, 7, 8, 9, 10, 11],
    [12, 13, 14],
  ]);
  expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
  expect(last.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
});

test('statusCatalog returns the 37 known statuses, and transitionRules the rules between them', async () => {
  const { data } = await gateway.graphql(
    '{ statusCatalog { status subStatus explanation } transitionRules { from { subStatus } to { subStatus } sources action } }',
  );

  expect(data.statusCatalog.filter((info: any) => info.subStatus !== 'UNRECOGNIZED')).toHaveLength(37);
  expect(data.transitionRules).toContainEqual({
    from: { subStatus: 'AGENT_APPROVED' },
    to: { subStatus: 'AUDITOR_APPROVED' },
    sources: ['WEBHOOK', 'POLL', 'MUTATION'],
    action: 'RECORD_AUDITOR_REVIEW',
  });
});
