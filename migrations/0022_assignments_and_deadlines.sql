-- Each statement by itself: indexes are built and constraints validated without blocking writers. Statements are idempotent, so that an interrupted migration can be run again.
ALTER TABLE "annotation" DROP CONSTRAINT IF EXISTS "annotation_kind";--> statement-breakpoint
ALTER TABLE "status_transition" DROP CONSTRAINT IF EXISTS "status_transition_verdict";--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "assigned_agent" text;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "assigned_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "assigned_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "due_at" timestamp (3) with time zone;--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_assigned";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_assigned" ON "vkyc_session" USING btree ("assigned_agent","created_at","id") WHERE "vkyc_session"."assigned_agent" is not null;--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_due";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_due" ON "vkyc_session" USING btree ("due_at","id") WHERE "vkyc_session"."due_at" is not null;--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_queue";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_queue" ON "vkyc_session" USING btree ("waiting_on","escalated" DESC NULLS FIRST,"status_since","id") WHERE "vkyc_session"."waiting_on" in ('AGENT', 'AUDITOR');--> statement-breakpoint
ALTER TABLE "annotation" ADD CONSTRAINT "annotation_kind" CHECK ("annotation"."kind" in ('NOTE', 'CLOSURE', 'ESCALATION', 'ESCALATION_RESOLUTION', 'DISPUTE_RESOLUTION', 'MEETING_REASON', 'ASSIGNMENT', 'CLAIM', 'UNASSIGNMENT')) NOT VALID;--> statement-breakpoint
ALTER TABLE "annotation" VALIDATE CONSTRAINT "annotation_kind";--> statement-breakpoint
ALTER TABLE "status_transition" ADD CONSTRAINT "status_transition_verdict" CHECK ("status_transition"."verdict" in ('MOVED', 'RESOLVED', 'LATE', 'REVIEWED', 'ENDED', 'DISPUTED', 'DISPUTED_LATE', 'DETAILS', 'NOTED', 'ESCALATED', 'ESCALATION_RESOLVED', 'ASSIGNED', 'UNASSIGNED')) NOT VALID;--> statement-breakpoint
ALTER TABLE "status_transition" VALIDATE CONSTRAINT "status_transition_verdict";--> statement-breakpoint
-- A review and the end of a session end its assignment. The last release does not know the columns: the trigger
-- corrects what that release writes during a rolling deploy.
CREATE OR REPLACE FUNCTION "vkyc_session_assignment_ends"() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN
    NEW."assigned_agent" := NULL;
    NEW."assigned_at" := NULL;
    NEW."assigned_until" := NULL;
    RETURN NEW;
  END $$;--> statement-breakpoint
CREATE OR REPLACE TRIGGER "vkyc_session_assignment_ends" BEFORE UPDATE ON "vkyc_session" FOR EACH ROW
  WHEN (NEW."assigned_agent" IS NOT NULL AND NEW."version" > OLD."version" AND (NEW."status" IN ('AGENT_REVIEWED', 'AUDITOR_REVIEWED')
    OR NEW."sub_status" IN ('AUDITOR_APPROVED', 'AUDITOR_REJECTED', 'INSUFFICIENT_BALANCE', 'REJECTED_BY_MERCHANT', 'FAILED_BY_MERCHANT', 'REPLACED', 'VKYC_EXPIRED')))
  EXECUTE FUNCTION "vkyc_session_assignment_ends"();
