ALTER TABLE "webhook_inbox" ADD COLUMN "traceparent" text;--> statement-breakpoint
ALTER TABLE "status_transition" ADD COLUMN "traceparent" text;--> statement-breakpoint
CREATE INDEX "webhook_inbox_left" ON "webhook_inbox" USING btree ("state") WHERE "webhook_inbox"."state" in ('WAITING', 'PARKED');