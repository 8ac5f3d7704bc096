import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { type OutgoingHttpHeaders, request } from 'node:http';
import { promisify } from 'node:util';
import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { signWebhook } from '../../src/provider/signature.ts';
import { DATA_KEYS, eventually, freshDatabase } from '../harness/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../harness/process.ts';

const LARGEST = 256 * 1024;
const MOST_GROWTH_MB = 80;
const SENDERS = 300;
const PIECE_BYTES = 16 * 1024;
/** Headers of a webhook with a well-formed but wrong signature. */
const FORGED = { 'x-webhook-timestamp': String(Date.now()), 'x-webhook-signature': `${'A'.repeat(43)}=` };

let gateway: GatewayProcess;
let database: pg.Pool;
beforeAll(async () => {
  const DATABASE_URL = await freshDatabase();
  gateway = await startGatewayProcess({ DATABASE_URL, DATA_KEYS });
  database = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });
  return async () => {
    await gateway.end('SIGTERM');
    await database.end();
  };
});

/**
 * Begins a webhook request; the caller sends its body. `status` is NO_ANSWER if the gateway closes the connection
 * without an answer.
 */
function open(headers: OutgoingHttpHeaders) {
  const sending = request(`${gateway.url}/webhooks/cashfree`, { method: 'POST', headers, agent: false });
  const status = new Promise<number | 'NO_ANSWER'>((resolve) => {
    sending.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sending.on('error', () => {});
    sending.on('close', () => resolve('NO_ANSWER'));
  });
  return { sending, status };
}

function send(body: Buffer, headers: OutgoingHttpHeaders) {
  const { sending, status } = open(headers);
  sending.end(body);
  return status;
}

const signed = (body: Buffer, timestamp = String(Date.now())) => ({
  'x-webhook-timestamp': timestamp,
  'x-webhook-signature': signWebhook('sandbox', timestamp, body),
});

/** Returns how many webhooks the gateway has counted (/metrics), by outcome. */
async function outcomes(): Promise<Record<string, number>> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const lines = text.matchAll(/^vkyc_webhooks_total\{outcome="([^"]+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, outcome, count]) => [outcome, Number(count)]));
}

/** Runs `work`. Returns how many webhooks the gateway counted (/metrics) during the run, by outcome. */
async function added(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await outcomes();
  await work();
  const after = Object.entries(await outcomes()).map(
    ([name, count]) => [name, count - (before[name] ?? 0)] as const,
  );
  return Object.fromEntries(after.filter(([, count]) => count > 0));
}

const stored = async (): Promise<number> => {
  const { rows } = await database.query('select count(*)::int as count from webhook_inbox');
  return rows[0].count;
};

/** Returns the resident memory of the gateway process in MB. */
async function residentMb(): Promise<number> {
  const { pid } = gateway.child;
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => null);
  const kb = status
    ? status.match(/VmRSS:\s+(\d+) kB/)?.[1]
    : (await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])).stdout;
  return Number(kb) / 1024;
}

test('a webhook with a valid signature and a timestamp of up to 29 days ago is stored, whatever its content type, headers and content', async () => {
  let number = 0;
  const fresh = () => Buffer.from(JSON.stringify({ nonsense: ++number }));
  const types = ['text/plain', 'application/xml', 'application/json; charset=utf-16', 'nonsense', ';;', ''];
  const bodies: [Buffer, OutgoingHttpHeaders][] = [
    ...types.map((type): [Buffer, OutgoingHttpHeaders] => [fresh(), { 'content-type': type }]),
    [fresh(), {}],
    [fresh(), { 'x-padding': 'p'.repeat(7 * 1024) }],
    [Buffer.from([0xc3, 0x28, 0xff, 0xfe, 0x00]), { 'content-type': 'application/json' }],
    [Buffer.from('{"data": {"verification_id": "'), { 'content-type': 'application/json' }],
    [Buffer.alloc(LARGEST, ' '), { 'content-type': 'application/json' }],
  ];
  const DAY_MS = 86_400_000;
  const times = [-29 * DAY_MS, -2 * DAY_MS, -3_600_000, 0, 3_600_000].flatMap((offsetMs) => {
    const milliseconds = Date.now() + offsetMs;
    return [String(milliseconds), String(Math.floor(milliseconds / 1000))];
  });

  const counted = await added(async () => {
    for (const [body, headers] of bodies)
      expect(await send(body, { ...signed(body), ...headers }), JSON.stringify(headers).slice(0, 80)).toBe(
        200,
      );
    for (const time of times) {
      const body = fresh();
      expect(await send(body, signed(body, time)), time).toBe(200);
    }
  });

  expect(counted).toEqual({ kept: bodies.length + times.length });
  const { rows } = await database.query('select state, count(*)::int from webhook_inbox group by state');
  expect(rows).toEqual([{ state: 'PARKED', count: bodies.length + times.length }]);
});

test('a signed webhook is refused (401) if an attacker moves bytes between its timestamp header and its body', async () => {
  const before = await stored();
  const body = Buffer.from('{"data": {"verification_id": "captured"}}');
  const timestamp = String(Date.now());
  const signature = signWebhook('sandbox', timestamp, body);
  const whole = Buffer.concat([Buffer.from(timestamp), body]);

  const statuses = [];
  for (let length = 1; length <= whole.length; length++) {
    const headers = {
      'x-webhook-timestamp': whole.toString('latin1', 0, length),
      'x-webhook-signature': signature,
    };
    statuses.push({ length, status: await send(whole.subarray(length), headers) });
  }

  const kept = statuses.filter(({ status }) => status !== 401);
  expect(kept).toEqual([{ length: timestamp.length, status: 200 }]);
  expect(await stored()).toBe(before + 1);
});

test('webhooks that are unsigned, badly signed, too large or dated a year or more away are refused, counted by reason and not stored', async () => {
  const before = await stored();
  const body = Buffer.from('{"data": {"verification_id": "nobody"}}');
  const good = signed(body);
  const unsigned: OutgoingHttpHeaders[] = [
    {},
    { 'x-webhook-timestamp': good['x-webhook-timestamp'] },
    { 'x-webhook-signature': good['x-webhook-signature'] },
    ...['1', '1'.repeat(65), 'yesterday', '0x18c8a5a8f00', '17464277597.0'].map((timestamp) => ({
      ...good,
      ...signed(body, timestamp),
    })),
    { ...good, 'x-webhook-signature': 'A'.repeat(7 * 1024) },
    { ...good, 'x-webhook-signature': [good['x-webhook-signature'], good['x-webhook-signature']] },
    ...Array.from({ length: 101 }, (_, length) => ({ ...good, 'x-webhook-signature': 'A'.repeat(length) })),
  ];
  const forged: OutgoingHttpHeaders[] = [
    FORGED,
    { ...good, 'x-webhook-timestamp': String(Date.now() + 1) },
    { ...good, ...signed(Buffer.from('{}'), good['x-webhook-timestamp']) },
  ];
  const YEAR_MS = 365 * 86_400_000;
  const stale = [Date.now() - 10 * YEAR_MS, Date.now() - YEAR_MS, Date.now() + YEAR_MS].map((time) =>
    signed(body, String(time)),
  );
  const tooLarge = Buffer.alloc(LARGEST + 1, ' ');

  expect(
    await added(async () => {
      for (const headers of unsigned) expect(await send(body, headers)).toBe(401);
      for (const headers of forged) expect(await send(body, headers)).toBe(401);
      for (const headers of stale) expect(await send(body, headers)).toBe(401);
    }),
  ).toEqual({ unsigned: unsigned.length, 'badly signed': forged.length, stale: stale.length });
  expect(
    await added(async () => {
      expect(await send(tooLarge, { ...signed(tooLarge), 'content-length': tooLarge.length })).toBe(413);
      expect(await send(tooLarge, { ...signed(tooLarge), 'transfer-encoding': 'chunked' })).toBe(413);
    }),
  ).toEqual({ 'too large': 2 });
  const { sending, status } = open({ ...good, 'content-length': body.length });
  sending.write(body.subarray(0, 10), () => sending.destroy());
  expect(await status).toBe('NO_ANSWER');

  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  expect(await stored()).toBe(before);
});

test('300 slow senders of webhooks of 256 kB cost the gateway a bounded amount of memory, and an honest webhook is still stored', async () => {
  const storedBefore = await stored();
  const before = await residentMb();
  let peak = before;
  let after = before;
  let over = false;
  const watching = (async () => {
    while (!over) peak = Math.max(peak, await residentMb());
  })();
  const piece = Buffer.alloc(PIECE_BYTES, 'x');
  const honest = Buffer.from(JSON.stringify({ honest: 'h'.repeat(LARGEST - 20) }));

  const counted = await added(async () => {
    const senders = Array.from({ length: SENDERS }, () => open({ ...FORGED, 'content-length': LARGEST }));
    for (let sent = 0; sent < LARGEST; sent += PIECE_BYTES) {
      for (const { sending } of senders) if (sending.writable) sending.write(piece);
      expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    }
    for (const { sending } of senders) sending.end();
    await Promise.all(senders.map(({ status }) => status));
    over = true;
    await watching;
    after = await residentMb();
    await eventually(async () => (await send(honest, signed(honest))) === 200);
  });

  process.stderr.write(
    `resident memory before, at its peak, after: ${[before, peak, after].map(Math.round).join(', ')} MB\n`,
  );
  expect(peak - before).toBeLessThan(MOST_GROWTH_MB);
  expect(after - before).toBeLessThan(MOST_GROWTH_MB);
  expect(counted.kept).toBe(1);
  expect((counted['badly signed'] ?? 0) + (counted['too many'] ?? 0)).toBeGreaterThanOrEqual(SENDERS);
  expect(counted['too many']).toBeGreaterThan(0);
  expect(await stored()).toBe(storedBefore + 1);
});

test('webhook uploads with a wrong signature that stall are refused as too slow or too many, and do not block an honest webhook', async () => {
  const small = Buffer.from(JSON.stringify({ honest: 'while they wait' }));

  const counted = await added(async () => {
    const strangers = Array.from({ length: 20 }, () => open({ ...FORGED, 'content-length': LARGEST }));
    for (const { sending } of strangers) sending.write(Buffer.alloc(LARGEST - 1, 'x'));
    expect(await send(small, signed(small))).toBe(200);
    const answers = await Promise.all(strangers.map(({ status }) => status.catch(() => null)));
    expect(answers).not.toContain(200);
  });

  expect(counted.kept).toBe(1);
  expect((counted['too many'] ?? 0) + (counted['too slow'] ?? 0)).toBe(20);
  expect(counted['too slow']).toBeGreaterThan(0);
});
