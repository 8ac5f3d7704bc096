-- Each statement by itself: indexes are built and constraints validated without blocking writers. Statements are idempotent, so that an interrupted migration can be run again.
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "due_at" timestamp (3) with time zone;--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_due";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_due" ON "vkyc_session" USING btree ("due_at","id") WHERE "vkyc_session"."due_at" is not null;
