-- Each statement by itself (no transaction): the index is built without blocking writers. After an interruption,
-- the incomplete index is dropped and built again.
DROP INDEX CONCURRENTLY IF EXISTS "personal_data_read_subjects";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "personal_data_read_subjects" ON "personal_data_read" USING gin ("subjects");
