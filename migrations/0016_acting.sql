-- Each statement by itself: indexes are built and constraints validated without blocking writers. Statements are idempotent, so that an interrupted migration can be run again.
CREATE TABLE IF NOT EXISTS "annotation" (
	"id" uuid PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"sequence" integer NOT NULL,
	"kind" text NOT NULL,
	"code" text,
	"text" "bytea",
	"text_salt" "bytea",
	"author" text NOT NULL,
	"recorded_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "annotation_transition" UNIQUE("session_id","sequence"),
	CONSTRAINT "annotation_kind" CHECK ("annotation"."kind" in ('NOTE', 'CLOSURE', 'ESCALATION', 'ESCALATION_RESOLUTION', 'DISPUTE_RESOLUTION', 'MEETING_REASON'))
);--> statement-breakpoint
ALTER TABLE "audit_entry" DROP CONSTRAINT IF EXISTS "audit_entry_kind";--> statement-breakpoint
ALTER TABLE "status_transition" DROP CONSTRAINT IF EXISTS "status_transition_verdict";--> statement-breakpoint
ALTER TABLE "status_transition" DROP CONSTRAINT IF EXISTS "status_transition_source";--> statement-breakpoint
ALTER TABLE "review" ADD COLUMN IF NOT EXISTS "reasons" text[];--> statement-breakpoint
ALTER TABLE "review" ADD COLUMN IF NOT EXISTS "customer_message" "bytea";--> statement-breakpoint
ALTER TABLE "review" ADD COLUMN IF NOT EXISTS "customer_message_salt" "bytea";--> statement-breakpoint
ALTER TABLE "review" ADD COLUMN IF NOT EXISTS "call_complete" boolean;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "escalated" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "closed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "replaced" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "remarks_at_provider" "bytea";--> statement-breakpoint
ALTER TABLE "annotation" DROP CONSTRAINT IF EXISTS "annotation_session_id_vkyc_session_id_fk";--> statement-breakpoint
ALTER TABLE "annotation" ADD CONSTRAINT "annotation_session_id_vkyc_session_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."vkyc_session"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
-- Replaces "vkyc_session_open", which stays for the last release: its condition names fewer statuses.
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_ongoing";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_ongoing" ON "vkyc_session" USING btree ("status","sub_status","waiting_on","status_since") WHERE not "vkyc_session"."sub_status" in ('AUDITOR_APPROVED', 'AUDITOR_REJECTED', 'INSUFFICIENT_BALANCE', 'REJECTED_BY_MERCHANT', 'FAILED_BY_MERCHANT', 'REPLACED', 'VKYC_EXPIRED');--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_disputed";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_disputed" ON "vkyc_session" USING btree ("created_at","id") WHERE "vkyc_session"."disputed";--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_escalated";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_escalated" ON "vkyc_session" USING btree ("created_at","id") WHERE "vkyc_session"."escalated";--> statement-breakpoint
ALTER TABLE "audit_entry" ADD CONSTRAINT "audit_entry_kind" CHECK ("audit_entry"."kind" in ('ADOPTION', 'SESSION', 'DETAILS', 'TRANSITION', 'MEETING', 'REVIEW', 'ANNOTATION', 'PSEUDONYM', 'ERASURE')) NOT VALID;--> statement-breakpoint
ALTER TABLE "audit_entry" VALIDATE CONSTRAINT "audit_entry_kind";--> statement-breakpoint
ALTER TABLE "status_transition" ADD CONSTRAINT "status_transition_verdict" CHECK ("status_transition"."verdict" in ('MOVED', 'RESOLVED', 'LATE', 'REVIEWED', 'ENDED', 'DISPUTED', 'DISPUTED_LATE', 'DETAILS', 'NOTED', 'ESCALATED', 'ESCALATION_RESOLVED')) NOT VALID;--> statement-breakpoint
ALTER TABLE "status_transition" VALIDATE CONSTRAINT "status_transition_verdict";--> statement-breakpoint
ALTER TABLE "status_transition" ADD CONSTRAINT "status_transition_source" CHECK ("status_transition"."source" in ('WEBHOOK', 'POLL', 'MUTATION', 'CLOCK')) NOT VALID;--> statement-breakpoint
ALTER TABLE "status_transition" VALIDATE CONSTRAINT "status_transition_source";
