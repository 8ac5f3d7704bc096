-- Each statement by itself (no transaction): the index is built without blocking writers. After an interruption,
-- the incomplete index is dropped and built again.
ALTER TABLE "webhook_inbox" ADD COLUMN IF NOT EXISTS "traceparent" text;--> statement-breakpoint
ALTER TABLE "status_transition" ADD COLUMN IF NOT EXISTS "traceparent" text;--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "webhook_inbox_left";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "webhook_inbox_left" ON "webhook_inbox" USING btree ("state") WHERE "webhook_inbox"."state" in ('WAITING', 'PARKED');
