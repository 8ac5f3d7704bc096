ALTER TABLE "log_identity" ADD COLUMN "old_cursors_until" timestamp (3) with time zone;--> statement-breakpoint
-- contract: the table has one row, which only `npm run restored` and retention change.
-- Cursors keep the last release's form for an hour, because replicas of that release may still run, unless the database
-- has no sessions.
UPDATE "log_identity" SET "old_cursors_until" = now() + interval '1 hour' WHERE EXISTS (SELECT FROM "vkyc_session");
