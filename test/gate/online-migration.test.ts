import { describe, expect, test } from 'vitest';
import { makeMigrationOnline } from '../../src/gate/online-migration.ts';
import { complaintsAbout } from '../db/migration-rules.ts';

const joined = (...statements: string[]) => statements.join(';--> statement-breakpoint\n');

describe('makeMigrationOnline', () => {
  test('makeMigrationOnline leaves a migration that only adds a column unchanged, to run in one transaction', () => {
    const generated = 'ALTER TABLE "meeting" ADD COLUMN "a" text;';

    expect(makeMigrationOnline(generated)).toBe(generated);
  });

  test('makeMigrationOnline creates an index CONCURRENTLY, unless the same migration creates its table', () => {
    const generated = joined(
      'CREATE TABLE "note" (\n\t"id" uuid PRIMARY KEY NOT NULL\n)',
      'ALTER TABLE "meeting" ADD COLUMN "a" text',
      'CREATE INDEX "note_id" ON "note" USING btree ("id")',
      'CREATE UNIQUE INDEX "meeting_a" ON "meeting" USING btree ("a");',
    );

    const online = makeMigrationOnline(generated);

    expect(online.split('\n').slice(1).join('\n')).toBe(
      `${joined(
        'CREATE TABLE IF NOT EXISTS "note" (\n\t"id" uuid PRIMARY KEY NOT NULL\n)',
        'ALTER TABLE "meeting" ADD COLUMN IF NOT EXISTS "a" text',
        'CREATE INDEX IF NOT EXISTS "note_id" ON "note" USING btree ("id")',
        'DROP INDEX CONCURRENTLY IF EXISTS "meeting_a"',
        'CREATE UNIQUE INDEX CONCURRENTLY "meeting_a" ON "meeting" USING btree ("a")',
      )};\n`,
    );
    expect(complaintsAbout(online)).toEqual([]);
  });

  test('makeMigrationOnline replaces a changed index (CONCURRENTLY) and a changed check constraint (NOT VALID) without a long lock', () => {
    const generated = joined(
      'ALTER TABLE "meeting" DROP CONSTRAINT "meeting_status"',
      'DROP INDEX "vkyc_session_open"',
      'CREATE INDEX "vkyc_session_open" ON "vkyc_session" USING btree ("status")',
      'ALTER TABLE "meeting" ADD CONSTRAINT "meeting_status" CHECK ("meeting"."status" in (\'A\', \'B\'));',
    );

    const online = makeMigrationOnline(generated);

    expect(complaintsAbout(generated)).not.toEqual([]);
    expect(complaintsAbout(online)).toEqual([]);
    expect(online.split('\n').slice(1).join('\n')).toBe(
      `${joined(
        'ALTER TABLE "meeting" DROP CONSTRAINT IF EXISTS "meeting_status"',
        'DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_open"',
        'CREATE INDEX CONCURRENTLY "vkyc_session_open" ON "vkyc_session" USING btree ("status")',
        'ALTER TABLE "meeting" ADD CONSTRAINT "meeting_status" CHECK ("meeting"."status" in (\'A\', \'B\')) NOT VALID',
        'ALTER TABLE "meeting" VALIDATE CONSTRAINT "meeting_status"',
      )};\n`,
    );
  });
});
