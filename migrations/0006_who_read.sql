-- Each statement by itself: an index that is built beside its table's writers. One that was broken off is begun anew.
DROP INDEX CONCURRENTLY IF EXISTS "personal_data_read_subjects";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "personal_data_read_subjects" ON "personal_data_read" USING gin ("subjects");
