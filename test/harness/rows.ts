/** Test helpers for the rows of a test database. */
import type pg from 'pg';
import { expect } from 'vitest';
import { eventually } from './gateway.ts';

/**
 * Waits until this many webhooks of a session are applied. A webhook that arrives before the response to the start of
 * its session is WAITING (session not known yet). Only a poll would queue it again, but tests usually do not poll, so
 * this function does.
 */
export const webhooksTaken = (database: pg.Pool, verificationId: string, count: number) =>
  eventually(async () => {
    await database.query(
      `update webhook_inbox set state = 'PENDING' where state = 'WAITING' and verification_id = $1`,
      [verificationId],
    );
    const { rowCount } = await database.query(
      `select from webhook_inbox where state = 'DONE' and verification_id = $1`,
      [verificationId],
    );
    return rowCount === count;
  });

/** Waits until no stored webhook is PENDING (queued). */
export const webhooksSettled = (database: pg.Pool) =>
  eventually(async () => {
    const { rowCount } = await database.query(`select from webhook_inbox where state = 'PENDING'`);
    return rowCount === 0;
  });

/** Returns every row of every table as text, with bytes in hexadecimal. */
export async function everyRow(database: pg.Pool): Promise<string> {
  const { rows: tables } = await database.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  expect(tables.length).toBeGreaterThan(20);
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await database.query<{ row: string }>(`select t::text as row from ${name} t`);
      return rows.map(({ row }) => row).join('\n');
    }),
  );
  return texts.join('\n');
}
