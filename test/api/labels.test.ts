/** Stories of labels: the metadata and tags of a session, in the merchant's own words. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { Sealer } from '../../src/encryption/sealing.ts';
import { emptyFolder, endedLongAgo, run } from '../harness/archives.ts';
import { auditOf, makeOlder } from '../harness/audit.ts';
import { setFaults } from '../harness/faults.ts';
import { bootGateway, DATA_KEYS, eventually, type Gateway } from '../harness/gateway.ts';
import { forgetStart } from '../harness/loss.ts';
import { type Person, person } from '../harness/people.ts';
import { webhooksSettled, webhooksTaken } from '../harness/rows.ts';
import { asha, start } from './starting.ts';

const SEVEN_YEARS = 7 * 365 + 2;

let gateway: Gateway;
let olga: Person;
let count = 0;

beforeAll(async () => {
  gateway = await bootGateway();
  olga = await person(gateway, 'olga', 'OPERATOR');
});

const nextId = () => {
  count += 1;
  return `labelled.${count}`;
};

const LABELS = 'metadata { key value } tags';
const read = (who: Person, id: string) =>
  who.query(`query ($id: ID!) { result: session(id: $id) { ${LABELS} version status subStatus } }`, { id });
const pair = (key: string, value?: string | null) => ({ key, value });

const keyOf = (id: string) => Buffer.from(id, 'base64').toString('utf8').split(':').at(-1);
const isProven = async (of: Gateway = gateway) => (await auditOf(of.databaseUrl).verify()).findings;

/** Waits for the sandbox's webhook about the link, so that it does not come between the transitions of a test. */
async function startQuietly(input: object = {}) {
  const verificationId = nextId();
  const session = await gateway.start(verificationId, input);
  await webhooksTaken(gateway.database, verificationId, 1);
  return { ...session, verificationId };
}

describe('startSession', () => {
  test('sets metadata and tags, which staff see sorted, the customer does not see, and the audit proves', async () => {
    const labels = { metadata: [pair('loan', 'L 42'), pair('branch', 'पुणे')], tags: ['gold', 'App'] };
    const { id, verificationId } = await startQuietly(labels);
    const vera = await person(gateway, 'vera', 'VIEWER');
    const customer = await person(gateway, 'asha', 'CUSTOMER', [verificationId]);

    for (const who of [olga, vera])
      expect(await read(who, id)).toMatchObject({
        metadata: [pair('branch', 'पुणे'), pair('loan', 'L 42')],
        tags: ['App', 'gold'],
      });
    expect(await read(customer, id)).toMatchObject({ metadata: null, tags: null });
    expect(await read(olga, (await startQuietly()).id)).toMatchObject({ metadata: [], tags: [] });
    expect(await isProven()).toEqual([]);
  });

  test('is repeated by the same labels in any order, and refused with other labels', async () => {
    const input = {
      verificationId: nextId(),
      user: asha,
      metadata: [pair('a', '1'), pair('b', '2')],
      tags: ['x', 'y'],
    };
    const { session } = await start(gateway, input);
    const turned = { metadata: input.metadata.toReversed(), tags: input.tags.toReversed() };

    expect(await start(gateway, { ...input, ...turned })).toMatchObject({
      replayed: true,
      session: { id: session.id },
    });
    for (const other of [{ tags: ['x'] }, { tags: null }, { metadata: [pair('a', '1')] }, { metadata: [] }])
      expect(await start(gateway, { ...input, ...other })).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  test('without labels, stores the same input hash as the last release, so that retries of its clients still match', async () => {
    const input = { verificationId: nextId(), user: { phone: '9988776655' } };
    await start(gateway, { ...input, metadata: [], tags: null });

    const { rows } = await gateway.database.query(
      'select input_hash, metadata, tags from start_intent where verification_id = $1',
      [input.verificationId],
    );
    const [id, key] = DATA_KEYS.split(':') as [string, string];
    const sealer = new Sealer([{ id, key: Buffer.from(key, 'base64') }]);
    expect(sealer.verifyHash(rows[0].input_hash, JSON.stringify(input))).toBe(true);
    expect(rows[0]).toMatchObject({ metadata: null, tags: null });
    expect(await start(gateway, input)).toMatchObject({ replayed: true });
  });

  test('whose answer is lost keeps its labels: a webhook records the session with them', async () => {
    const own = await bootGateway({ polling: true });
    const verificationId = 'lost.happy-path';
    await setFaults(own, {
      'error-504-after': { path: 'POST /vkyc' },
      'error-504-before': { path: 'GET /vkyc' },
    });
    const labels = { metadata: [pair('branch', 'Pune')], tags: ['gold'] };
    expect(await start(own, { verificationId, user: asha, ...labels })).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
    });
    await own.advance(verificationId, 2);

    const { rows } = await eventually(async () => {
      const found = await own.database.query('select metadata, tags from session_label');
      return found.rowCount === 1 && found;
    });
    expect(rows).toEqual([{ metadata: { branch: 'Pune' }, tags: ['gold'] }]);
    expect(await isProven(own)).toEqual([]);
  });

  test('repeated, adds the labels to a session that a replica of the last release recorded without them', async () => {
    const input = { verificationId: nextId(), user: asha, tags: ['gold'] };
    const { session } = await start(gateway, input);
    // That release writes neither labels nor their audit entry, and may leave the intent open for the caller's replica.
    await gateway.database.query('delete from session_label where session_id = $1', [keyOf(session.id)]);
    await gateway.database.query(`update start_intent set state = 'OPEN' where verification_id = $1`, [
      input.verificationId,
    ]);

    await start(gateway, input);

    expect(await read(olga, session.id)).toMatchObject({ tags: ['gold'] });
    expect(await isProven()).toEqual([]);
  });

  test('has its labels again after a failover lost the start and a webhook restored the session', async () => {
    const own = await bootGateway({ polling: true });
    const input = { verificationId: 'back.happy-path', user: asha, tags: ['gold'] };
    await start(own, input);
    await webhooksTaken(own.database, 'back.happy-path', 1);
    await forgetStart(own, 'back.happy-path');
    await own.advance('back.happy-path', 2);
    await eventually(async () => (await own.database.query('select from vkyc_session')).rowCount === 1);

    const again = await start(own, input);

    expect(again).toMatchObject({ replayed: true });
    const { rows } = await own.database.query('select tags from session_label');
    expect(rows).toEqual([{ tags: ['gold'] }]);
    expect(await isProven(own)).toEqual([]);
  });

  test('reports all problems of labels by their paths', async () => {
    const { problems } = await start(gateway, {
      verificationId: nextId(),
      user: asha,
      metadata: [
        pair('', 'x'),
        pair('k'.repeat(41), 'v'.repeat(501)),
        pair('twice', ''),
        pair('twice', '\u200b'),
        pair(' end', 'nul\u0000'),
        pair('two\nlines', 'v'),
      ],
      tags: ['ok', 'ok', 't'.repeat(41), ''],
    });
    expect(problems).toEqual([
      { path: ['metadata', '0', 'key'], message: 'must not be empty' },
      { path: ['metadata', '1', 'key'], message: 'must have at most 40 characters' },
      { path: ['metadata', '1', 'value'], message: 'must have at most 500 characters' },
      { path: ['metadata', '2', 'value'], message: 'must not be empty' },
      { path: ['metadata', '3', 'value'], message: 'must have a visible character' },
      { path: ['metadata', '4', 'key'], message: 'must not begin or end with white space' },
      {
        path: ['metadata', '4', 'value'],
        message: 'must not contain null bytes (U+0000) or half a surrogate pair',
      },
      { path: ['metadata', '5', 'key'], message: 'must be one line, without control characters' },
      { path: ['metadata', '3', 'key'], message: 'must not repeat the key of another entry' },
      { path: ['tags', '2'], message: 'must have at most 40 characters' },
      { path: ['tags', '3'], message: 'must not be empty' },
      { path: ['tags', '1'], message: 'must not repeat another tag' },
    ]);
  });

  test('accepts 20 pairs and 30 tags of full length, and refuses one more of each', async () => {
    const pairs = (most: number) =>
      Array.from({ length: most }, (_, n) => pair(`${n}`.padStart(40, 'k'), 'v'.repeat(500)));
    const tags = (most: number) => Array.from({ length: most }, (_, n) => `${n}`.padStart(40, 't'));
    const full = await startQuietly({ metadata: pairs(20), tags: tags(30) });
    const more = { verificationId: nextId(), user: asha, metadata: pairs(21), tags: tags(31) };

    const { metadata, tags: stored } = await read(olga, full.id);
    expect([metadata.length, stored.length]).toEqual([20, 30]);
    expect((await start(gateway, more)).problems).toEqual([
      { path: ['metadata'], message: 'must have at most 20 entries' },
      { path: ['tags'], message: 'must have at most 30 entries' },
    ]);
    expect(await isProven()).toEqual([]);
  });
});

describe('labelSession', () => {
  const LIVE = `subscription ($id: ID!) { sessionLive(sessionId: $id) {
    __typename ... on SessionSnapshot { session { version } }
    ... on StatusTransition { sequence subStatus applied changes reason actor session { version ${LABELS} } } } }`;

  test('merges its labels, is streamed to staff, and changes neither status nor version', async () => {
    const { id, verificationId } = await startQuietly({
      metadata: [pair('branch', 'Pune'), pair('channel', 'web')],
      tags: ['new', 'gold'],
    });
    const tokenOf = async (sub: string, role: string) =>
      `Bearer ${await gateway.token({ sub, roles: [role], verification_ids: [verificationId] })}`;
    const screen = gateway.subscribe(LIVE, { id }, { authorization: await tokenOf('ravi', 'AGENT') });
    const app = gateway.subscribe(LIVE, { id }, { authorization: await tokenOf('asha', 'CUSTOMER') });
    await Promise.all([screen.take(2), app.take(2)]);

    const changed = await olga.act('labelSession', id, {
      metadata: [pair('channel', 'app'), pair('branch', ''), pair('loan', '42')],
      addTags: ['vip'],
      removeTags: ['new'],
    });

    const labels = { metadata: [pair('channel', 'app'), pair('loan', '42')], tags: ['gold', 'vip'] };
    expect(changed).toMatchObject({
      __typename: 'LabelSessionSuccess',
      replayed: false,
      session: { subStatus: 'LINK_GENERATED', version: 1, ...labels },
    });
    const base = { sequence: 2, subStatus: 'LINK_GENERATED', applied: false };
    expect((await screen.take(1))[0]).toMatchObject({
      ...{ ...base, changes: ['LABELS'], actor: 'olga', session: { version: 1, ...labels } },
      reason: 'It records that staff changed the metadata or the tags; the status did not change.',
    });
    expect((await app.take(1))[0]).toMatchObject({
      ...{ ...base, changes: [], actor: null, reason: 'It changed nothing that you can see.' },
      session: { metadata: null, tags: null },
    });
    expect(await isProven()).toEqual([]);
  });

  test('records nothing if the session has the labels already', async () => {
    const { id } = await startQuietly({ metadata: [pair('branch', 'Pune')], tags: ['gold'] });
    const same = {
      metadata: [pair('branch', 'Pune'), pair('none', null)],
      addTags: ['gold'],
      removeTags: ['silver'],
    };

    expect(await olga.act('labelSession', id, same)).toMatchObject({ replayed: false });

    const { rows } = await gateway.database.query(
      'select count(*)::int as count from status_transition where session_id = $1',
      [keyOf(id)],
    );
    expect(rows).toEqual([{ count: 1 }]);
  });

  test('takes effect once for 20 parallel calls with one key, and refuses the key with other labels', async () => {
    const { id } = await startQuietly();
    const call = { idempotencyKey: randomUUID(), metadata: [pair('branch', 'Pune')] };
    const results = await Promise.all(Array.from({ length: 20 }, () => olga.act('labelSession', id, call)));
    await olga.act('labelSession', id, { metadata: [pair('branch', 'Nashik')] });

    expect(results.filter(({ replayed }) => replayed === false)).toHaveLength(1);
    expect(await olga.act('labelSession', id, call)).toMatchObject({
      replayed: true,
      session: { metadata: [pair('branch', 'Nashik')] },
    });
    expect(await olga.act('labelSession', id, { ...call, addTags: ['vip'] })).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  test('loses no label of 20 parallel calls with different labels', async () => {
    const { id } = await startQuietly();
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        olga.act('labelSession', id, { addTags: [`tag ${n}`], metadata: [pair(`key ${n}`, `${n}`)] }),
      ),
    );

    const { metadata, tags } = await read(olga, id);
    expect([metadata.length, tags.length]).toEqual([20, 20]);
    expect(await isProven()).toEqual([]);
  });

  test('refuses a stale expectedVersion, customers and viewers, but labels a session that has ended', async () => {
    const { id, verificationId } = await startQuietly();
    const label = { addTags: ['vip'] };
    expect(await olga.act('labelSession', id, { ...label, expectedVersion: 7 })).toMatchObject({
      code: 'VERSION_CONFLICT',
    });
    for (const role of ['VIEWER', 'CUSTOMER']) {
      const who = await person(gateway, `a ${role}`, role, [verificationId]);
      expect((await who.act('labelSession', id, label)).errors[0].extensions.code).toBe('FORBIDDEN');
      expect((await who.look(id)).availableActions).not.toContain('LABEL');
    }
    await olga.act('closeSession', id, { outcome: 'FAILED', reason: 'TECHNICAL' });
    for (const role of ['OPERATOR', 'AGENT', 'AUDITOR', 'ADMIN']) {
      const who = await person(gateway, `the ${role}`, role);
      expect((await who.look(id)).availableActions).toContain('LABEL');
      expect(await who.act('labelSession', id, { addTags: [role] })).toMatchObject({ replayed: false });
    }
    expect(await read(olga, id)).toMatchObject({ tags: ['ADMIN', 'AGENT', 'AUDITOR', 'OPERATOR'] });
  });

  test('names the path of each problem, and refuses more labels than a session may have', async () => {
    const { id } = await startQuietly({
      metadata: Array.from({ length: 20 }, (_, n) => pair(`key ${n}`, `${n}`)),
      tags: Array.from({ length: 30 }, (_, n) => `tag ${n}`),
    });
    const problemsOf = async (input: object) => (await olga.act('labelSession', id, input)).problems;

    expect(await problemsOf({})).toEqual([
      { path: [], message: 'must have an entry in metadata, addTags or removeTags' },
    ]);
    expect(await problemsOf({ addTags: ['a'], removeTags: ['a'] })).toEqual([
      { path: ['removeTags'], message: 'must not have a tag of addTags' },
    ]);
    expect(await problemsOf({ metadata: [pair('k', 'v'.repeat(501)), pair('k', '')] })).toEqual([
      { path: ['metadata', '0', 'value'], message: 'must have at most 500 characters' },
      { path: ['metadata', '1', 'key'], message: 'must not repeat the key of another entry' },
    ]);
    expect(await problemsOf({ metadata: [pair('one more', '1')], addTags: ['one more'] })).toEqual([
      { path: ['metadata'], message: 'must leave at most 20 pairs, not 21' },
      { path: ['addTags'], message: 'must leave at most 30 tags, not 31' },
    ]);
    const swapped = Array.from({ length: 20 }, (_, n) => [pair(`key ${n}`), pair(`new ${n}`, `${n}`)]).flat();
    expect(await olga.act('labelSession', id, { metadata: swapped })).toMatchObject({ replayed: false });
    expect((await read(olga, id)).metadata).toHaveLength(20);
  });
});

describe('sessions(filter:)', () => {
  const LIST = `query ($filter: SessionFilter) { result: sessions(first: 50, filter: $filter) { totalCount nodes { verificationId tags } } }`;

  test('lists the sessions that have all given tags and metadata pairs; upper and lower case must match', async () => {
    const own = await bootGateway();
    const who = await person(own, 'olga', 'OPERATOR');
    await own.start('one', {
      metadata: [pair('branch', 'Pune'), pair('__proto__', 'x')],
      tags: ['gold', 'web'],
    });
    await own.start('two', { metadata: [pair('branch', 'Pune')], tags: ['gold'] });
    const three = await own.start('three', { metadata: [pair('branch', 'pune')], tags: ['Gold'] });
    await own.start('none');
    const found = async (filter: object) => {
      const { nodes, totalCount } = await who.query(LIST, { filter });
      expect(totalCount).toBe(nodes.length);
      return nodes.map(({ verificationId }: any) => verificationId).toSorted();
    };

    expect(await found({ tags: ['gold'] })).toEqual(['one', 'two']);
    expect(await found({ tags: ['gold', 'web'] })).toEqual(['one']);
    expect(await found({ metadata: [pair('branch', 'Pune')] })).toEqual(['one', 'two']);
    expect(await found({ metadata: [pair('branch', 'Pune'), pair('__proto__', 'x')] })).toEqual(['one']);
    expect(await found({ tags: ['web'], metadata: [pair('branch', 'pune')] })).toEqual([]);
    expect(await found({ tags: [], metadata: [] })).toEqual(['none', 'one', 'three', 'two']);
    await who.act('labelSession', three.id, { addTags: ['gold'], metadata: [pair('branch')] });
    expect(await found({ tags: ['gold'] })).toEqual(['one', 'three', 'two']);
    expect(await found({ metadata: [pair('branch', 'pune')] })).toEqual([]);
  });

  test('is refused for customers, and for labels that no session can have', async () => {
    const customer = await person(gateway, 'asha', 'CUSTOMER', ['labelled.1']);
    const refusal = async (who: Person, filter: object) =>
      (await who.query(LIST, { filter })).errors[0].message;

    expect(await refusal(customer, { tags: ['gold'] })).toBe(
      'The filter `tags` is only for staff: leave it out.',
    );
    expect(await refusal(customer, { metadata: [pair('branch', 'Pune')] })).toContain('only for staff');
    expect(await refusal(olga, { tags: ['t'.repeat(41)] })).toContain('at most 40 characters');
    expect(await refusal(olga, { tags: ['a\u0000'] })).toContain('null bytes');
    expect(await refusal(olga, { tags: Array(31).fill('t') })).toContain('at most 30 entries');
    expect(await refusal(olga, { metadata: [pair('k', '1'), pair('k', '2')] })).toContain('only once');
    expect(await refusal(olga, { metadata: [pair('k', 'v'.repeat(501))] })).toContain('at most 500');
  });
});

describe('what happens to labels', () => {
  test('the audit names labels that the database owner changed, removed or added', async () => {
    const own = await bootGateway();
    await own.start('tampered.1', { tags: ['gold'] });
    await own.start('tampered.2');
    const audit = auditOf(own.databaseUrl);
    const findingAfter = async (statement: string) => {
      await own.database.query(statement);
      return (await audit.verify()).findings.map(({ what }) => what);
    };

    expect(await findingAfter(`update session_label set metadata = '{"branch": "x"}'`)).toEqual([
      'session_label was edited: metadata',
    ]);
    expect(await findingAfter('delete from session_label')).toEqual(['session_label was removed']);
    expect(
      await findingAfter(
        `insert into session_label select id, '{}', '{gold}' from vkyc_session where verification_id in ('tampered.1', 'tampered.2')`,
      ),
    ).toEqual(['cut off, or session_label was inserted: no entry names it']);
  });

  test('erasing a person leaves labels, and retention moves them to the archive, which verifies', {
    timeout: 60_000,
  }, async () => {
    const own = await bootGateway();
    const [erased, archived] = [await endedLongAgo(own, 'ended.1'), await endedLongAgo(own, 'ended.2')];
    const who = await person(own, 'olga', 'OPERATOR');
    for (const { id, key } of [erased, archived]) {
      await who.act('labelSession', id, { addTags: ['campaign-7'] });
      await makeOlder(own, key, SEVEN_YEARS);
    }
    await own.start('alive.1');
    await webhooksSettled(own.database);

    await run(own, 'erase', '--user', 'u-ended.1', '--by', 'the officer');
    expect(await read(who, erased.id)).toMatchObject({ tags: ['campaign-7'] });
    expect(await isProven(own)).toEqual([]);

    const folder = await emptyFolder();
    await run(own, 'retention', '--to', folder);
    const [file] = await readdir(folder);
    const archive = join(folder, file as string);
    expect((await own.database.query('select from session_label')).rowCount).toBe(0);
    expect(gunzipSync(await readFile(archive)).toString('utf8')).toContain('campaign-7');
    expect(await run(own, 'audit', 'verify', '--archive', archive)).toContain('0 of them have errors');
  });
});
