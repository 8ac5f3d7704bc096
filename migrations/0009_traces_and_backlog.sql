-- Each statement by itself: an index that is built beside its table's writers. One that was broken off is begun anew.
ALTER TABLE "webhook_inbox" ADD COLUMN IF NOT EXISTS "traceparent" text;--> statement-breakpoint
ALTER TABLE "status_transition" ADD COLUMN IF NOT EXISTS "traceparent" text;--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "webhook_inbox_left";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "webhook_inbox_left" ON "webhook_inbox" USING btree ("state") WHERE "webhook_inbox"."state" in ('WAITING', 'PARKED');
