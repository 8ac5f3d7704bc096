/** Webhooks with an unusual body are either understood, or parked (kept as dead letters) with the reason. */
import { describe, expect, test } from 'vitest';
import { MAX_JSON_LENGTH } from '../../src/provider/json.ts';
import { bootGateway, eventually } from '../harness/gateway.ts';
import { person } from '../harness/people.ts';
import { scrape } from '../harness/prometheus.ts';
import { startScriptedProvider } from '../harness/provider.ts';

const LARGE = '9007199254740993';

/** Body of the provider's answers to GET; null for the usual body with the status of a new session. */
let answer: string | null = null;
const provider = await startScriptedProvider(({ method, path, body }) => {
  if (path.startsWith('/user')) return { body: JSON.stringify({ user_id: 'asha', phone: '9988776655' }) };
  const id = new URLSearchParams(path.split('?')[1]).get('verification_id');
  const sent = method === 'POST' ? JSON.parse(body) : { verification_id: id, user_id: 'asha' };
  const usual = JSON.stringify({ ...sent, status: 'RECEIVED', sub_status: 'LINK_GENERATED' });
  return { body: (method === 'GET' && answer) || usual };
});
const gateway = await bootGateway({
  environment: {
    CASHFREE_BASE_URL: provider.baseUrl,
    CASHFREE_CLIENT_ID: 'id',
    CASHFREE_CLIENT_SECRET: 'sandbox',
    PROVIDER_CALLS_PER_MINUTE: '6000',
  },
});

let count = 0;
async function startAnother(verificationId?: string): Promise<{ id: string; name: string }> {
  count += 1;
  const name = verificationId ?? `form.${count}`;
  const { id } = await gateway.start(name, { user: { userId: 'asha', phone: '9988776655' } });
  return { id, name };
}

const FIELDS = '"user_id":"asha","status":"PRE_VIDEO_CALL","sub_status":"USER_QUEUED"';
/** Returns the body of a webhook; `name` (the verification id) and `time` must be JSON already. */
const textOf = (name: string, time: string, fields = FIELDS) =>
  `{"event_type":"LABEL","event_time":${time},"data":{"verification_id":${name},${fields}}}`;
const TIME = '"2025-05-22T03:51:10Z"';

/** Sends a webhook and returns its state and reason in the inbox. */
async function outcomeOf(body: string | Buffer): Promise<{ state: string; reason: string | null }> {
  const { rows: before } = await gateway.database.query(
    'select coalesce(max(id), 0) as id from webhook_inbox',
  );
  expect(await gateway.webhook(body)).toBe(200);
  return eventually(async () => {
    const { rows } = await gateway.database.query('select state, reason from webhook_inbox where id > $1', [
      before[0].id,
    ]);
    return rows[0]?.state !== 'PENDING' && rows[0];
  });
}

const DONE = { state: 'DONE', reason: null };
const parked = (reason: string) => ({ state: 'PARKED', reason: `The body could not be parsed: ${reason}.` });

async function occurredAt(name: string): Promise<string | undefined> {
  const { data } = await gateway.graphql(
    `query ($name: String!) { sessionByVerificationId(verificationId: $name) {
      transitions(first: 9) { nodes { subStatus occurredAt } } } }`,
    { name },
  );
  const nodes: { subStatus: string; occurredAt: string }[] = data.sessionByVerificationId.transitions.nodes;
  return nodes.find(({ subStatus }) => subStatus === 'USER_QUEUED')?.occurredAt;
}

describe('event time of a webhook', () => {
  test.each([
    ['"2025-05-22t03:51:14z"', '2025-05-22T03:51:14.000Z'],
    ['"2025-05-22T03:51Z"', '2025-05-22T03:51:00.000Z'],
    ['1746427759', '2025-05-05T06:49:19.000Z'],
    ['"1746427759"', '2025-05-05T06:49:19.000Z'],
    ['1746427759733', '2025-05-05T06:49:19.733Z'],
    ['"2024-02-02 17:30:00 IST"', '2024-02-02T12:00:00.000Z'],
  ])('a webhook with the event time %s is recorded with the time %s', async (time, expected) => {
    const { name } = await startAnother();
    expect(await outcomeOf(textOf(`"${name}"`, time))).toEqual(DONE);
    expect(await occurredAt(name)).toBe(expected);
  });

  test.each([
    ['"2030-02-30"', 'event_time: is not an existing day'],
    ['"2025-05-22T25:00:00Z"', 'event_time: is not a time of day between 00:00:00 and 23:59:59'],
    [
      '17',
      'event_time: is a number that is neither seconds (10 digits) nor milliseconds (13 digits) since 1970',
    ],
    ['true', 'event_time: must be a time'],
    ['null', 'event_time: must be a time'],
    [`"2025-05-22${' '.repeat(100_000)}"`, 'event_time: has more than 64 characters'],
    ['1'.repeat(100_000), 'event_time: has more than 64 characters'],
  ])('a webhook with the invalid event time %.60s is parked with the reason', async (time, reason) => {
    const { name } = await startAnother();
    expect(await outcomeOf(textOf(`"${name}"`, time))).toEqual(parked(reason));
    expect(await occurredAt(name)).toBeUndefined();
  });
});

describe('JSON of a webhook', () => {
  test('a webhook that begins with a byte order mark is accepted', async () => {
    const { name } = await startAnother();
    expect(await outcomeOf(`\uFEFF${textOf(`"${name}"`, TIME)}`)).toEqual(DONE);
  });

  test.each([['12345678'], [LARGE]])(
    'a webhook with a number as its verification id is recorded: %s',
    async (digits) => {
      await startAnother(digits);
      expect(await outcomeOf(textOf(digits, TIME))).toEqual(DONE);
      expect(await occurredAt(digits)).toBe('2025-05-22T03:51:10.000Z');
    },
  );

  test('a webhook whose verification id is a number with a fraction or exponent is parked', async () => {
    await startAnother('12345679');
    expect(await outcomeOf(textOf('12345679.0', TIME))).toEqual(
      parked('data.verification_id: must be text or a whole number'),
    );
    expect(await outcomeOf(textOf('1.2345679e7', TIME))).toEqual(
      parked('data.verification_id: must be text or a whole number'),
    );
  });

  test('a webhook whose status is a number is parked, even for a number beyond 2^53', async () => {
    const { name } = await startAnother();
    for (const status of ['7', LARGE])
      expect(await outcomeOf(textOf(`"${name}"`, TIME, `"status":${status}`))).toEqual(
        parked('data.status: must be text'),
      );
  });

  test('a webhook whose JSON has one key twice with different values is parked, and the reason names the key only if the gateway knows it', async () => {
    const { name } = await startAnother();
    const twice = `"status":"PRE_VIDEO_CALL","status":"AUDITOR_REVIEWED","sub_status":"USER_QUEUED"`;
    expect(await outcomeOf(textOf(`"${name}"`, TIME, twice))).toEqual(
      parked('it repeats the key status with another value'),
    );
    expect(await outcomeOf(textOf(`"${name}"`, TIME, `${FIELDS},"9988776655":1,"9988776655":2`))).toEqual(
      parked('it repeats a key with another value'),
    );
    expect(await occurredAt(name)).toBeUndefined();

    expect(await outcomeOf(textOf(`"${name}"`, TIME, `${FIELDS},"status":"PRE_VIDEO_CALL"`))).toEqual(DONE);
  });

  test('a webhook that is parked for a repeated key is attributed to the session that the webhook names, unless it names two sessions', async () => {
    const [one, other] = [await startAnother(), await startAnother()];
    const attributed = async () => {
      const { rows } = await gateway.database.query(
        'select verification_id from webhook_inbox order by id desc limit 1',
      );
      return rows[0].verification_id;
    };

    await outcomeOf(textOf(`"${one.name}"`, TIME, '"status":"A","status":"B"'));
    expect(await attributed()).toBe(one.name);
    await outcomeOf(textOf(`"${one.name}"`, TIME, `"verification_id":"${other.name}",${FIELDS}`));
    expect(await attributed()).toBeNull();
    await outcomeOf(
      `{"event_time":${TIME},"data":{"verification_id":"${one.name}"},"data":{"verification_id":"${other.name}"}}`,
    );
    expect(await attributed()).toBeNull();
  });

  test('a webhook that is not JSON, too large or without a valid verification id is parked with the reason', async () => {
    const nobody = {
      state: 'PARKED',
      reason: "The webhook names no verification id, like a test call from the provider's dashboard.",
    };
    expect(await outcomeOf('')).toEqual(parked('it is empty'));
    expect(await outcomeOf('{"event_time":')).toEqual(parked('it is not JSON'));
    expect(await outcomeOf('['.repeat(100_000))).toEqual(parked('it is nested too deeply'));
    expect(await outcomeOf('['.repeat(MAX_JSON_LENGTH + 1))).toEqual(
      parked(`it has more than ${MAX_JSON_LENGTH} characters`),
    );
    expect(await outcomeOf('{"test":"from the dashboard"}')).toEqual(nobody);
    expect(await outcomeOf('[]')).toEqual(nobody);
    expect(await outcomeOf(textOf('"no id of ours!"', TIME))).toEqual(
      parked('data.verification_id: must be 1 to 50 characters of A-Z a-z 0-9 . _ -'),
    );
    expect(await outcomeOf(`{"__proto__":{"data":{"verification_id":"x"}},"event_time":${TIME}}`)).toEqual(
      nobody,
    );
  });
});

describe('optional fields of a webhook', () => {
  test('an optional field that cannot be understood is treated as missing, counted and logged', async () => {
    const { name } = await startAnother();
    const fields = `${FIELDS},"meeting_schedule":"2030-02-30T10:00:00Z","link_expiry":"2030-02-30"`;
    const ignored = async (field: string) =>
      (await scrape(gateway)).value(`vkyc_provider_ignored_fields_total{field="${field}"}`);
    const before = await ignored('link_expiry');

    expect(await outcomeOf(textOf(`"${name}"`, TIME, fields))).toEqual(DONE);

    const { rows } = await gateway.database.query(
      'select link_expires_at, meeting_at from vkyc_session where verification_id = $1',
      [name],
    );
    expect(rows).toEqual([{ link_expires_at: null, meeting_at: null }]);
    await eventually(async () => (await ignored('link_expiry')) === before + 1);
    const lines = gateway.logs
      .filter((line) => line.includes('treating it as missing'))
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { field: 'link_expiry', problem: 'is not an existing day' },
      { field: 'meeting_schedule', problem: 'is not an existing day' },
    ]);
  });
});

test('provider responses may have numeric ids, a byte order mark and numeric times, but no key twice, like webhooks', async () => {
  const staff = await person(gateway, 'olga', 'ADMIN');
  const pair = '"status":"VIDEO_CALL","sub_status":"USER_ENDED_CALL"';
  const { id } = await startAnother('7654321');

  for (const [said, changed] of [
    [`{"verification_id":7654321,"user_id":"asha",${pair},"status":"RECEIVED"}`, undefined],
    [`\uFEFF{"verification_id":7654321,"user_id":"asha",${pair},"link_expiry":1893456000}`, true],
  ] as const) {
    answer = said;
    const refreshed = await staff.ask('refreshSession', id);
    expect(refreshed.changed, refreshed.message).toBe(changed);
    if (!changed)
      expect(refreshed).toMatchObject({
        code: 'PROVIDER_UNAVAILABLE',
        message: expect.stringContaining('repeats the key status with another value'),
      });
  }
  const { rows } = await gateway.database.query(
    `select link_expires_at from vkyc_session where verification_id = '7654321'`,
  );
  expect(rows[0].link_expires_at.toISOString()).toBe('2030-01-01T00:00:00.000Z');
});
