import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { complaintsAbout } from './migration-rules.ts';

/**
 * Migrations from before the first deployment. The rules do not apply, because no other release ran next to
 * them.
 */
const BEFORE_THE_RULES = [
  '0000_initial.sql',
  '0001_reconciling.sql',
  '0002_audit_chain.sql',
  '0003_reads_and_erasing.sql',
];

// Invariant 16 of ARCHITECTURE.md
test('every migration keeps the rules for running next to the last release: no long lock, nothing removed', async () => {
  const files = (await readdir('migrations')).filter((name) => name.endsWith('.sql'));
  const complaints: Record<string, string[]> = {};
  for (const file of files.filter((name) => !BEFORE_THE_RULES.includes(name))) {
    const found = complaintsAbout(await readFile(`migrations/${file}`, 'utf8'));
    if (found.length > 0) complaints[file] = found;
  }

  expect(files.length).toBeGreaterThan(BEFORE_THE_RULES.length);
  expect(complaints).toEqual({});
});

test.each([
  ['DROP TABLE "meeting"', 'the last release may use what it drops'],
  ['ALTER TABLE "meeting" DROP COLUMN "source"', 'the last release may use what it drops'],
  ['ALTER TABLE "meeting" RENAME COLUMN "a" TO "b"', 'old name'],
  ['ALTER TABLE "meeting" ALTER COLUMN "a" SET DATA TYPE text', 'rewrites the whole table'],
  ['ALTER TABLE "meeting" ALTER COLUMN "a" SET NOT NULL', 'may leave the column null'],
  ['ALTER TABLE "meeting" ADD COLUMN "a" text NOT NULL', 'give it a default'],
  ['ALTER TABLE "meeting" ADD COLUMN "a" uuid DEFAULT gen_random_uuid()', 'the whole table'],
  ['ALTER TABLE "meeting" ADD CONSTRAINT "c" CHECK (true)', 'NOT VALID'],
  [
    'ALTER TABLE "meeting" ADD CONSTRAINT "c" FOREIGN KEY ("a") REFERENCES "public"."vkyc_session"("id")',
    'NOT VALID',
  ],
  ['ALTER TABLE "meeting" ADD CONSTRAINT "c" UNIQUE("a")', 'CONCURRENTLY first'],
  ['CREATE INDEX "i" ON "meeting" USING btree ("a")', 'CONCURRENTLY'],
  ['CREATE INDEX CONCURRENTLY "i" ON "meeting" ("a")', 'cannot be in a transaction'],
  ['UPDATE "meeting" SET "a" = 1', 'in batches'],
  ['-- Each statement by itself\nCREATE INDEX CONCURRENTLY "i" ON "meeting" ("a")', 'cannot be run again'],
])('complaintsAbout refuses this statement in a migration: %s', (statement, because) => {
  expect(complaintsAbout(statement)).toEqual([expect.stringContaining(because)]);
});

test.each([
  'ALTER TABLE "meeting" ADD COLUMN "a" text',
  `ALTER TABLE "meeting" ADD COLUMN "a" text DEFAULT 'none' NOT NULL`,
  'ALTER TABLE "meeting" ADD CONSTRAINT "c" CHECK (true) NOT VALID',
  'CREATE TABLE "new" ("id" uuid NOT NULL);--> statement-breakpoint\nCREATE INDEX "i" ON "new" USING btree ("id")',
  '-- contract: two releases ago was the last that read it\nALTER TABLE "meeting" DROP COLUMN "source"',
  'INSERT INTO "provider_budget" ("id") VALUES (1)',
])('complaintsAbout allows this statement in a migration: %s', (statement) => {
  expect(complaintsAbout(statement)).toEqual([]);
});
