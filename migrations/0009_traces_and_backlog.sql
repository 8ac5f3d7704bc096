-- Each statement by itself: the index is built without blocking writers. An interrupted build is dropped and repeated.
ALTER TABLE "webhook_inbox" ADD COLUMN IF NOT EXISTS "traceparent" text;--> statement-breakpoint
ALTER TABLE "status_transition" ADD COLUMN IF NOT EXISTS "traceparent" text;--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "webhook_inbox_left";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "webhook_inbox_left" ON "webhook_inbox" USING btree ("state") WHERE "webhook_inbox"."state" in ('WAITING', 'PARKED');
