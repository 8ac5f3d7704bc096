CREATE TABLE "provider_lookup" (
	"verification_id" text PRIMARY KEY NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
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
-- Existing sessions count as last reported when they last changed. They are polled from now on, unless the session or its link has ended.
ALTER TABLE "vkyc_session" ADD COLUMN "provider_heard_at" timestamp (3) with time zone;--> statement-breakpoint
UPDATE "vkyc_session" SET "provider_heard_at" = "updated_at";--> statement-breakpoint
ALTER TABLE "vkyc_session" ALTER COLUMN "provider_heard_at" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN "provider_found_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN "unsettled" boolean NOT NULL DEFAULT false;--> statement-breakpoint
ALTER TABLE "vkyc_session" ALTER COLUMN "unsettled" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN "next_poll_at" timestamp (3) with time zone;--> statement-breakpoint
UPDATE "vkyc_session" SET "next_poll_at" = now() WHERE "status" NOT IN ('AUDITOR_REVIEWED', 'REJECTED', 'EXPIRED')
  AND ("status" = 'AGENT_REVIEWED' OR coalesce("link_expires_at", "created_at" + interval '30 days') > now() - interval '36 hours');--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN "meeting_at" timestamp (3) with time zone;--> statement-breakpoint
UPDATE "vkyc_session" SET "meeting_at" = m."starts_at" FROM "meeting" m WHERE m."session_id" = "vkyc_session"."id" AND m."status" = 'SCHEDULED';--> statement-breakpoint
CREATE INDEX "provider_lookup_due" ON "provider_lookup" USING btree ("due_at");--> statement-breakpoint
CREATE INDEX "provider_call_at" ON "provider_call" USING btree ("at");--> statement-breakpoint
CREATE INDEX "vkyc_session_next_poll" ON "vkyc_session" USING btree ("next_poll_at") WHERE "vkyc_session"."next_poll_at" is not null;--> statement-breakpoint
CREATE INDEX "vkyc_session_unsettled" ON "vkyc_session" USING btree ("next_poll_at") WHERE "vkyc_session"."unsettled";--> statement-breakpoint
ALTER TABLE "webhook_inbox" ADD CONSTRAINT "webhook_inbox_state" CHECK ("webhook_inbox"."state" in ('PENDING', 'DONE', 'WAITING', 'PARKED'));--> statement-breakpoint
INSERT INTO "provider_budget" ("id") VALUES (1);--> statement-breakpoint
-- Looks up webhooks at the provider that were parked because their session was not started here.
UPDATE "webhook_inbox" SET "state" = 'WAITING' WHERE "state" = 'PARKED' AND "reason" = 'No session was started here under this verification id.';--> statement-breakpoint
INSERT INTO "provider_lookup" ("verification_id", "since", "due_at")
  SELECT DISTINCT "verification_id", now(), now() FROM "webhook_inbox" WHERE "state" = 'WAITING';
