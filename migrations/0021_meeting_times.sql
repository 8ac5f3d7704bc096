-- Each statement by itself: indexes are built and constraints validated without blocking writers. Statements are idempotent, so that an interrupted migration can be run again.
DROP INDEX CONCURRENTLY IF EXISTS "meeting_time";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "meeting_time" ON "meeting" USING btree ("status","starts_at","id");
