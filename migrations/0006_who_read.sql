-- Each statement by itself: the index is built without blocking writers. An interrupted build is dropped and repeated.
DROP INDEX CONCURRENTLY IF EXISTS "personal_data_read_subjects";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "personal_data_read_subjects" ON "personal_data_read" USING gin ("subjects");
