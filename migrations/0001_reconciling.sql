CREATE TABLE "provider_budget" (
	"id" integer PRIMARY KEY NOT NULL,
	"calls_paused_until" timestamp (3) with time zone,
	"polls_paused_until" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "provider_call" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"purpose" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "webhook_inbox" DROP CONSTRAINT "webhook_inbox_state";--> statement-breakpoint
-- What is there already was last heard of when it last changed, and is polled from now on unless it has ended.
ALTER TABLE "vkyc_session" ADD COLUMN "provider_heard_at" timestamp (3) with time zone;--> statement-breakpoint
UPDATE "vkyc_session" SET "provider_heard_at" = "updated_at";--> statement-breakpoint
ALTER TABLE "vkyc_session" ALTER COLUMN "provider_heard_at" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN "provider_found_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN "unsettled" boolean NOT NULL DEFAULT false;--> statement-breakpoint
ALTER TABLE "vkyc_session" ALTER COLUMN "unsettled" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN "next_poll_at" timestamp (3) with time zone;--> statement-breakpoint
UPDATE "vkyc_session" SET "next_poll_at" = now() WHERE "status" NOT IN ('AUDITOR_REVIEWED', 'REJECTED', 'EXPIRED');--> statement-breakpoint
CREATE INDEX "provider_call_at" ON "provider_call" USING btree ("at");--> statement-breakpoint
CREATE INDEX "vkyc_session_next_poll" ON "vkyc_session" USING btree ("next_poll_at") WHERE "vkyc_session"."next_poll_at" is not null;--> statement-breakpoint
CREATE INDEX "start_intent_open" ON "start_intent" USING btree ("created_at") WHERE "start_intent"."state" = 'OPEN';--> statement-breakpoint
ALTER TABLE "webhook_inbox" ADD CONSTRAINT "webhook_inbox_state" CHECK ("webhook_inbox"."state" in ('PENDING', 'DONE', 'WAITING', 'PARKED'));--> statement-breakpoint
INSERT INTO "provider_budget" ("id") VALUES (1);
