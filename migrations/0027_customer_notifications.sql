-- Each statement by itself: indexes are built and constraints validated without blocking writers. Statements are idempotent, so that an interrupted migration can be run again.
CREATE TABLE IF NOT EXISTS "customer_notification" (
	"id" uuid PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL CONSTRAINT "customer_notification_session_id_vkyc_session_id_fk" REFERENCES "vkyc_session"("id"),
	"sequence" integer NOT NULL,
	"kind" text NOT NULL,
	"channel" text NOT NULL,
	"locale" text NOT NULL,
	"text" "bytea",
	"requested_by" text,
	"urgent" boolean NOT NULL,
	"state" text NOT NULL,
	"released" boolean NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"queued_at" timestamp (3) with time zone NOT NULL,
	"settled_at" timestamp (3) with time zone,
	"attempts" integer NOT NULL,
	"outcome" text,
	CONSTRAINT "customer_notification_cause" UNIQUE("session_id","sequence","kind","channel"),
	CONSTRAINT "customer_notification_kind" CHECK ("customer_notification"."kind" in ('LINK', 'RETRY', 'MEETING_BOOKED', 'MEETING_MOVED', 'MEETING_CANCELLED', 'MEETING_REMINDER', 'DECISION')),
	CONSTRAINT "customer_notification_state" CHECK ("customer_notification"."state" in ('QUEUED', 'SENT', 'FAILED')),
	CONSTRAINT "customer_notification_channel" CHECK ("customer_notification"."channel" in ('EMAIL', 'WEBHOOK'))
);--> statement-breakpoint
CREATE TABLE IF NOT EXISTS "notification_cursor" (
	"id" integer PRIMARY KEY NOT NULL,
	"position" bigint NOT NULL
);--> statement-breakpoint
ALTER TABLE "annotation" DROP CONSTRAINT IF EXISTS "annotation_kind";--> statement-breakpoint
ALTER TABLE "status_transition" DROP CONSTRAINT IF EXISTS "status_transition_verdict";--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "customer_notification_due" ON "customer_notification" USING btree ("due_at","id") WHERE "customer_notification"."state" = 'QUEUED' and not "customer_notification"."released";--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "customer_notification_released" ON "customer_notification" USING btree ("id") WHERE "customer_notification"."state" = 'QUEUED' and "customer_notification"."released";--> statement-breakpoint
ALTER TABLE "annotation" ADD CONSTRAINT "annotation_kind" CHECK ("annotation"."kind" in ('NOTE', 'CLOSURE', 'ESCALATION', 'ESCALATION_RESOLUTION', 'DISPUTE_RESOLUTION', 'MEETING_REASON', 'ASSIGNMENT', 'CLAIM', 'UNASSIGNMENT', 'NOTIFICATION')) NOT VALID;--> statement-breakpoint
ALTER TABLE "annotation" VALIDATE CONSTRAINT "annotation_kind";--> statement-breakpoint
ALTER TABLE "status_transition" ADD CONSTRAINT "status_transition_verdict" CHECK ("status_transition"."verdict" in ('MOVED', 'RESOLVED', 'LATE', 'REVIEWED', 'ENDED', 'DISPUTED', 'DISPUTED_LATE', 'DETAILS', 'NOTED', 'ESCALATED', 'ESCALATION_RESOLVED', 'ASSIGNED', 'UNASSIGNED', 'LABELLED', 'NOTIFIED')) NOT VALID;--> statement-breakpoint
ALTER TABLE "status_transition" VALIDATE CONSTRAINT "status_transition_verdict";
