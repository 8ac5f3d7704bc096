import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, expect, test } from 'vitest';
import { bootGateway, type Gateway } from '../harness/gateway.ts';
import { countStatements } from '../harness/statements.ts';

const SESSIONS = Number(process.env.EXPORTED_SESSIONS ?? 200_000);
const PAGE = 100;
const MEASURED_EVERY_ROWS = SESSIONS / 10;
/** Maximum growth of the heap between the first and the last measurement of an export; the file of 200,000 sessions has 50 MB. */
const MOST_GROWTH_BYTES = 4 * 1024 * 1024;

let gateway: Gateway;

beforeAll(async () => {
  gateway = await bootGateway({
    bothWays: false,
    environment: { RATE_LIMIT_COST_PER_MINUTE: '0', LOG_LEVEL: 'info' },
  });
  await gateway.start('many');
  // The texts for searches, which a trigger writes, would take most of the time.
  await gateway.database.query('alter table vkyc_session disable trigger user');
  await gateway.database.query(
    `insert into vkyc_session
     select (jsonb_populate_record(s, jsonb_build_object(
       'id', gen_random_uuid(), 'verification_id', 'many-' || n, 'created_at', s.created_at - n * interval '1 second'
     ))).* from vkyc_session s, generate_series(1, $1) n`,
    [SESSIONS - 1],
  );
  await gateway.database.query('vacuum analyze vkyc_session');
}, 600_000);

const ask = async () =>
  (
    await fetch(`${gateway.url}/exports/sessions.csv`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
  ).body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;

test(`an export of ${SESSIONS} sessions takes no more memory at its end than at its beginning`, {
  timeout: 600_000,
}, async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const begunAt = performance.now();
  const reader = await ask();
  const used: number[] = [];
  let [lines, bytes] = [0, 0];
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes += part.value.length;
    for (const byte of part.value) if (byte === 0x0a) lines += 1;
    if (lines < (used.length + 1) * MEASURED_EVERY_ROWS) continue;
    collect();
    used.push(process.memoryUsage().heapUsed + process.memoryUsage().external);
  }

  const seconds = (performance.now() - begunAt) / 1000;
  const [first = 0, ...later] = used;
  const growth = Math.max(...later) - first;
  process.stdout.write(
    `${SESSIONS} sessions, ${(bytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(0)} s; the heap grew by ${(growth / 1e6).toFixed(1)} MB\n`,
  );
  expect(lines).toBe(SESSIONS + 1);
  expect(growth).toBeLessThan(MOST_GROWTH_BYTES);
});

test('an export is read no faster than its client reads', { timeout: 600_000 }, async () => {
  const pages = countStatements('from "vkyc_session"');
  const reader = await ask();
  await reader.read();
  // The sockets' buffers take some pages; then the export must stand still.
  let before = -1;
  await expect
    .poll(
      () => {
        const stands = pages() === before;
        before = pages();
        return stands;
      },
      { interval: 2_000, timeout: 60_000 },
    )
    .toBe(true);
  process.stdout.write(`${pages()} pages were read for a client that reads none\n`);
  expect(pages()).toBeLessThan(SESSIONS / PAGE / 2);

  let lines = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read())
    for (const byte of part.value) if (byte === 0x0a) lines += 1;
  expect(lines).toBeGreaterThan(SESSIONS * 0.9);
});
