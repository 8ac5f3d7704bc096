/** Exports: lists of sessions as CSV files, with the same filters, access rules and records of reads as the query `sessions`. */
import { describe, expect, test } from 'vitest';
import { bootGateway, type Gateway, PRODUCTION } from '../harness/gateway.ts';

const PATH = '/exports/sessions.csv';
const PERSONAL = ['name', 'phone', 'email'];
const FOR_STAFF = ['escalated', 'assignedAgent', 'assignedUntil', 'dueAt', 'overdue', 'tags', 'metadata'];

interface Asking {
  readonly sub?: string;
  readonly role?: string;
  readonly verificationIds?: string[];
  readonly signal?: AbortSignal;
}

/** Asks for an export as a member of staff, by default an operator. */
async function ask(
  gateway: Gateway,
  body: unknown = {},
  { sub = 'olga', role = 'OPERATOR', verificationIds = [], signal }: Asking = {},
): Promise<Response> {
  const token = await gateway.token({ sub, roles: [role], verification_ids: verificationIds });
  return fetch(`${gateway.url}${PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

/** Parses a CSV file (RFC 4180). Returns its rows, each as an object by the names of the columns. */
function parse(text: string): Record<string, string>[] {
  const cells = [...text.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy)];
  expect(cells.map(([all]) => all).join('')).toBe(text);
  const rows: string[][] = [[]];
  for (const [, cell = '', end] of cells) {
    rows.at(-1)?.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === '\r\n') rows.push([]);
  }
  const [header = [], ...lines] = rows.slice(0, -1);
  for (const line of lines) expect(line).toHaveLength(header.length);
  return lines.map((line) => Object.fromEntries(header.map((name, index) => [name, line[index] ?? ''])));
}

const read = async (response: Response) => parse(await response.text());

/** Starts a session, and inserts copies of its row, each of its own user, and created a second before the copy before. */
async function withMany(gateway: Gateway, count: number): Promise<void> {
  await gateway.start('many.0');
  await gateway.database.query(
    `with copied as (
       insert into vkyc_session
       select (jsonb_populate_record(s, jsonb_build_object(
         'id', gen_random_uuid(), 'verification_id', 'many.' || n, 'created_at', s.created_at - n * interval '1 second',
         'updated_at', s.updated_at - (n % 7) * interval '1 second', 'disputed', n % 3 = 0
       ))).* from vkyc_session s, generate_series(1, $1) n returning id)
     select count(*) from copied`,
    [count - 1],
  );
}

describe('the file', () => {
  test('an export has one row for each session, in UTF-8 that Excel recognizes, and texts stay in their cells', async () => {
    const gateway = await bootGateway();
    const names = ['Rao, Asha "Ash"', 'आशा राव', 'O;Brien'];
    for (const [index, name] of names.entries())
      await gateway.start(`file.${index}`, {
        user: { userId: `user-${index}`, phone: '9988776655', name, email: 'asha@example.com' },
        tags: ['campaign', 'vip'],
        metadata: [{ key: 'branch', value: 'Pune, West' }],
      });

    const response = await ask(gateway, { orderBy: { field: 'CREATED_AT', direction: 'ASC' } });

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="sessions-\d{4}-\d\d-\d\d\.csv"$/,
    );
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect([...bytes.slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    const rows = parse(new TextDecoder().decode(bytes));
    expect(rows.map(({ name }) => name)).toEqual(names);
    expect(rows[0]).toMatchObject({
      ...{ verificationId: 'file.0', userId: 'user-0', phone: '9988776655', email: 'asha@example.com' },
      ...{ status: 'RECEIVED', subStatus: 'LINK_GENERATED', waitingOn: 'CUSTOMER', disputed: 'false' },
      ...{ escalated: 'false', assignedAgent: '', meetingAt: '', tags: 'campaign; vip' },
      ...{ metadata: 'branch=Pune, West', createdAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
  });

  test('a text that a spreadsheet would run as a formula is shown as text', async () => {
    const gateway = await bootGateway();
    const texts = ['=HYPERLINK("http://evil")', '+1', '-1', '@SUM(A1)', ' =1+1', '＝1+1'];
    for (const [index, name] of texts.entries())
      await gateway.start(`formula.${index}`, {
        user: { userId: `user-${index}`, phone: '9988776655', name },
      });
    await gateway.start('-dash', { tags: ['=tag'] });

    const rows = await read(await ask(gateway, { orderBy: { field: 'CREATED_AT', direction: 'ASC' } }));

    for (const row of rows)
      for (const [column, cell] of Object.entries(row)) expect(cell, column).not.toMatch(/^\s*[=+\-@＝]/);
    expect(rows.map(({ name }) => name).slice(0, 4)).toEqual(texts.slice(0, 4).map((text) => `'${text}`));
    expect(rows.at(-1)).toMatchObject({ verificationId: "'-dash", tags: "'=tag" });
  });

  test('an export of several pages has the sessions of the query `sessions`, in its order, each once', async () => {
    const gateway = await bootGateway();
    await withMany(gateway, 250);
    const asking = [
      {},
      { orderBy: { field: 'UPDATED_AT', direction: 'ASC' } },
      { filter: { disputed: true }, orderBy: { field: 'STATUS_SINCE', direction: 'DESC' } },
      { filter: { verificationIdPrefix: 'many.2' }, orderBy: null },
      { filter: { status: ['AUDITOR_REVIEWED'] } },
    ];
    for (const asked of asking) {
      const rows = await read(await ask(gateway, asked));
      expect(rows.map(({ verificationId }) => verificationId)).toEqual(await listed(gateway, asked));
    }
  });

  test('a gateway that serves only trusted documents serves exports', async () => {
    const gateway = await bootGateway({ environment: { TRUSTED_DOCUMENTS: 'only' } });
    expect((await ask(gateway)).status).toBe(200);
  });
});

/** Returns the verification ids that the query `sessions` returns, page by page. */
async function listed(gateway: Gateway, variables: object): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | null = null; ; ) {
    const { data }: any = await gateway.graphql(
      `query ($filter: SessionFilter, $orderBy: SessionOrder, $after: String) {
        sessions(first: 100, after: $after, filter: $filter, orderBy: $orderBy) {
          nodes { verificationId } pageInfo { hasNextPage endCursor } } }`,
      { ...variables, after },
    );
    found.push(...data.sessions.nodes.map((node: { verificationId: string }) => node.verificationId));
    if (!data.sessions.pageInfo.hasNextPage) return found;
    after = data.sessions.pageInfo.endCursor;
  }
}

describe('access', () => {
  test('staff with personal data get all columns, viewers none with personal data, customers only what is theirs', async () => {
    const gateway = await bootGateway();
    await gateway.start('mine.1');
    await gateway.start('others.1', { user: { phone: '9988776633', name: 'Vikram Shah' } });
    const columnsOf = async (role: string, verificationIds: string[] = []) => {
      const rows = await read(await ask(gateway, {}, { sub: role, role, verificationIds }));
      return { ids: rows.map((row) => row.verificationId), columns: Object.keys(rows[0] ?? {}), rows };
    };

    const { columns: all } = await columnsOf('ADMIN');
    expect(all).toEqual(expect.arrayContaining([...PERSONAL, ...FOR_STAFF]));
    for (const role of ['OPERATOR', 'AGENT', 'AUDITOR']) expect((await columnsOf(role)).columns).toEqual(all);
    const viewer = await columnsOf('VIEWER');
    expect(viewer.columns).toEqual(all.filter((name) => !PERSONAL.includes(name)));
    expect(JSON.stringify(viewer.rows)).not.toMatch(/6655|Asha|Vikram/);
    const customer = await columnsOf('CUSTOMER', ['mine.1']);
    expect(customer.ids).toEqual(['mine.1']);
    expect(customer.columns).toEqual(all.filter((name) => !FOR_STAFF.includes(name)));
  });

  test('without a token, nothing is exported', async () => {
    const gateway = await bootGateway({ environment: PRODUCTION });
    const response = await fetch(`${gateway.url}${PATH}`, { method: 'POST' });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });

  // Invariant 12 of ARCHITECTURE.md
  test('each page with personal data is recorded as a read, with the fields and subjects that a query would record', async () => {
    const gateway = await bootGateway();
    await withMany(gateway, 250);
    const reads = async () =>
      (await gateway.database.query('select * from personal_data_read order by id')).rows;

    await read(await ask(gateway, {}, { sub: 'vera', role: 'VIEWER' }));
    expect(await reads()).toEqual([]);
    await read(await ask(gateway));

    const { rows } = await gateway.database.query(`select 'vkyc_user:' || id as key from vkyc_user`);
    const recorded = await reads();
    expect(recorded).toHaveLength(3);
    for (const { viewer, operations, fields, subjects } of recorded) {
      expect({ viewer, operations, subjects }).toEqual({
        ...{ viewer: 'olga', operations: ['Query.sessions'] },
        subjects: [rows[0].key],
      });
      expect(fields.toSorted()).toEqual(['VkycUser.name', 'VkycUser.phone']);
    }
  });

  test('an export is withheld if its reads cannot be recorded', async () => {
    const gateway = await bootGateway();
    await gateway.start('read.lost');
    await gateway.database.query(
      'alter table personal_data_read add constraint nobody_reads check (viewer is null) not valid',
    );

    const response = await ask(gateway);

    expect(response.status).toBe(503);
    const text = await response.text();
    expect(JSON.parse(text).errors[0].extensions.code).toBe('SERVICE_UNAVAILABLE');
    expect(text).not.toMatch(/9988776655|Asha|nobody_reads/);
    expect((await ask(gateway, {}, { sub: 'vera', role: 'VIEWER' })).status).toBe(200);
  });
});

describe('refusals', () => {
  test('an invalid list is refused with the error of the query `sessions`, before anything is sent', async () => {
    const gateway = await bootGateway();
    const refusals: [body: unknown, message: RegExp, role?: string][] = [
      [[], /^The body is invalid/],
      [{ filters: {} }, /^The body is invalid/],
      [{ filter: { status: ['LOST'] } }, /^Variable "\$filter" has an invalid value at "filter.status\[0\]"/],
      [{ filter: { search: 'ab' } }, /^`search` must have at least 3 characters/],
      [{ filter: { tags: ['vip'] } }, /^The filter `tags` is only for staff/, 'CUSTOMER'],
      [{ orderBy: { field: 'DUE_AT', direction: 'ASC' } }, /`DUE_AT` is only for staff/, 'CUSTOMER'],
      [{ orderBy: { field: 'AGE' } }, /^Variable "\$orderBy" has an invalid value at "orderBy.field"/],
    ];
    for (const [body, message, role = 'OPERATOR'] of refusals) {
      const response = await ask(gateway, body, { role });
      expect(response.status, JSON.stringify(body)).toBe(400);
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      const { errors } = (await response.json()) as any;
      expect(errors[0]).toMatchObject({
        message: expect.stringMatching(message),
        extensions: { code: 'BAD_USER_INPUT' },
      });
    }
    const get = await fetch(`${gateway.url}${PATH}`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    expect(gateway.logs.filter((line) => line.includes('"level":50'))).toEqual([]);
  });

  test('exports are charged like the query `sessions`; who has used up the rate limit is told when to try again', async () => {
    const gateway = await bootGateway({ environment: { RATE_LIMIT_COST_PER_MINUTE: '1200' } });
    const statuses: number[] = [];
    for (let times = 0; times < 3; times += 1) statuses.push((await ask(gateway)).status);
    expect(statuses).toEqual([200, 200, 429]);
    const refused = await ask(gateway);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
    expect((await ask(gateway, {}, { sub: 'another' })).status).toBe(200);
  });
});

describe('ends', () => {
  test('if a later page cannot be read, the connection breaks, so that no client takes the part for the whole', async () => {
    const gateway = await bootGateway();
    await withMany(gateway, 250);
    await gateway.database.query(
      `insert into vkyc_user (id, user_id, personal, created_at) values (gen_random_uuid(), 'broken', 'x', now())`,
    );
    await gateway.database.query(
      `update vkyc_session set user_id = (select id from vkyc_user where user_id = 'broken') where verification_id = 'many.240'`,
    );

    const response = await ask(gateway);

    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    await expect
      .poll(() => gateway.logs.filter((line) => line.includes('export failed before its end')))
      .toHaveLength(1);
    expect(gateway.logs.join('')).not.toMatch(/9988776655|Asha/);
    // Without personal data, nothing has to be decrypted.
    const rows = await read(await ask(gateway, {}, { sub: 'vera', role: 'VIEWER' }));
    expect(rows).toHaveLength(250);
  });

  test('an export that waits for its budget ends when its client disconnects, and makes room for another', async () => {
    const gateway = await bootGateway({
      environment: { RATE_LIMIT_COST_PER_MINUTE: '2500', CONNECTIONS_PER_CLIENT: '1' },
    });
    await withMany(gateway, 1_200);
    const leaving = new AbortController();
    const response = await ask(gateway, {}, { signal: leaving.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    const second = await ask(gateway);
    expect(second.status).toBe(429);
    expect(await second.json()).toMatchObject({ errors: [{ extensions: { code: 'TOO_MANY_CONNECTIONS' } }] });

    leaving.abort();

    const token = await gateway.token({ sub: 'olga', roles: ['OPERATOR'] });
    const connect = () =>
      fetch(`${gateway.url}/graphql/stream?query={viewer{id}}`, {
        headers: { authorization: `Bearer ${token}` },
      });
    await expect.poll(async () => (await connect()).status).toBe(200);
    const { rows } = await gateway.database.query('select count(*)::int as pages from personal_data_read');
    expect(rows[0].pages).toBeLessThan(12);
    expect(gateway.logs.filter((line) => line.includes('export failed'))).toEqual([]);
  });

  test('a shutdown breaks exports that are under way, and does not wait for them', async () => {
    const gateway = await bootGateway({ environment: { RATE_LIMIT_COST_PER_MINUTE: '1000' } });
    await withMany(gateway, 600);
    const response = await ask(gateway);
    const text = response.text();
    const broken = expect(text).rejects.toThrow();
    await gateway.stop();
    await broken;
  });
});
