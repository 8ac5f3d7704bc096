import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { enter } from '../chaos/book.ts';
import { bootGateway, eventually } from '../harness/gateway.ts';
import { expectFeedOfLog, expectFolds } from '../harness/log.ts';
import { startOwnPostgres } from '../harness/own-postgres.ts';
import { diskTest, mountSmallDisk } from '../harness/small-disk.ts';

const DISK_MB = 200;
const REFUSALS = 20;
/**
 * Bytes of random padding in each webhook. Random bytes cannot be compressed, so that a few webhooks of this size fill
 * the free pages of the database.
 */
const BYTES = 12_000;

const newsAt = (second: number) => ({
  event_type: 'VKYC_STATUS',
  event_time: new Date(Date.parse('2026-03-02T12:00:00Z') + second * 1000).toISOString(),
  data: {
    verification_id: 'full.disk',
    status: 'PRE_VIDEO_CALL',
    sub_status: second % 2 === 0 ? 'USER_QUEUED' : 'USER_MEETING_SCHEDULED',
  },
  padding: randomBytes(BYTES / 2).toString('hex'),
});

diskTest(
  'on a full database disk, webhooks get 503 and queries are answered; once there is space again, subscribers get every transition once',
  async () => {
    const disk = mountSmallDisk(DISK_MB);
    const small = { min_wal_size: '32MB', max_wal_size: '48MB', autovacuum: 'off' };
    const postgres = await startOwnPostgres(disk.folder, small);
    const gateway = await bootGateway({ database: postgres.url });
    const { id, startCursor } = await gateway.start('full.disk');
    const live = gateway.subscribe(
      'subscription ($id: ID, $after: String) { statusTransitions(sessionId: $id, after: $after) { sequence occurredAt } }',
      { id, after: startCursor },
    );
    expect(await live.next()).toMatchObject({ sequence: 1 });
    const taken: string[] = [];
    const statuses: number[] = [];
    let second = 0;
    const send = async () => {
      second += 1;
      const news = newsAt(second);
      const status = await gateway.webhook(news);
      statuses.push(status);
      if (status === 200) taken.push(news.event_time);
      return { news, status };
    };
    await send();

    await disk.fill();
    const refused: object[] = [];
    let looks = 0;
    let retries = 0;
    while (refused.length < REFUSALS) {
      const { news, status } = await send();
      if (status !== 200) refused.push(news);
      const { data, errors } = await gateway.graphql('query ($id: ID!) { session(id: $id) { version } }', {
        id,
      });
      looks += 1;
      expect(errors).toBeUndefined();
      expect(data.session.version).toBeGreaterThan(0);
    }
    process.stderr.write(`${taken.length} webhooks were accepted until the disk was full\n`);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    const readiness = async () => (await fetch(`${gateway.url}/readyz`)).json();
    await eventually(async () => ((await readiness()) as any).impaired);
    expect(await readiness()).toMatchObject({
      status: 'ready',
      impaired: { database: 'accepts no writes: its disk is full' },
    });
    await disk.clear();
    await eventually(async () => JSON.stringify(await readiness()).startsWith('{"status":"ready","notes"'));
    for (const news of refused)
      await eventually(async () => {
        retries += 1;
        return (await gateway.webhook(news)) === 200;
      });

    const all = Array.from({ length: second }, (_, index) => newsAt(index + 1).event_time);
    expect(taken.length + refused.length).toBe(all.length);
    const frames = await live.take(all.length);
    const told = frames.map(({ occurredAt }) => occurredAt);
    enter('full-disk', {
      // Counts each webhook, the query after it, and the retries of refused webhooks.
      requests: statuses.length + looks + retries,
      faults: 1,
      lost: all.filter((time) => !told.includes(time)).length,
      repeated: told.length - new Set(told).size,
      outOfOrder: frames.filter(({ sequence }, index) => sequence !== index + 2).length,
      wrong: statuses.filter((status) => status !== 200 && status !== 503).length,
    });
    expect(frames.map(({ sequence }) => sequence)).toEqual(all.map((_, index) => index + 2));
    expect(told.sort()).toEqual(all);
    await expectFolds(gateway.database);
    await expectFeedOfLog(gateway.database);
  },
);
