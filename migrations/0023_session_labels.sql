-- Each statement by itself: indexes are built and constraints validated without blocking writers. Statements are idempotent, so that an interrupted migration can be run again.
-- Returns a text for each pair. The length of the key comes first, so that no two pairs have the same text.
CREATE OR REPLACE FUNCTION "metadata_pairs"("metadata" jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT coalesce(array_agg(length(key) || ':' || key || value), '{}') FROM jsonb_each_text("metadata") $$;--> statement-breakpoint
CREATE TABLE IF NOT EXISTS "session_label" (
	"session_id" uuid PRIMARY KEY NOT NULL CONSTRAINT "session_label_session_id_vkyc_session_id_fk" REFERENCES "vkyc_session"("id"),
	"metadata" jsonb NOT NULL,
	"tags" text[] NOT NULL
);--> statement-breakpoint
ALTER TABLE "audit_entry" DROP CONSTRAINT IF EXISTS "audit_entry_kind";--> statement-breakpoint
ALTER TABLE "status_transition" DROP CONSTRAINT IF EXISTS "status_transition_verdict";--> statement-breakpoint
ALTER TABLE "start_intent" ADD COLUMN IF NOT EXISTS "metadata" jsonb;--> statement-breakpoint
ALTER TABLE "start_intent" ADD COLUMN IF NOT EXISTS "tags" text[];--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "session_label_metadata" ON "session_label" USING gin (metadata_pairs("metadata"));--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "session_label_tags" ON "session_label" USING gin ("tags");--> statement-breakpoint
ALTER TABLE "audit_entry" ADD CONSTRAINT "audit_entry_kind" CHECK ("audit_entry"."kind" in ('ADOPTION', 'SESSION', 'DETAILS', 'TRANSITION', 'MEETING', 'REVIEW', 'ANNOTATION', 'LABELS', 'PSEUDONYM', 'ERASURE')) NOT VALID;--> statement-breakpoint
ALTER TABLE "audit_entry" VALIDATE CONSTRAINT "audit_entry_kind";--> statement-breakpoint
ALTER TABLE "status_transition" ADD CONSTRAINT "status_transition_verdict" CHECK ("status_transition"."verdict" in ('MOVED', 'RESOLVED', 'LATE', 'REVIEWED', 'ENDED', 'DISPUTED', 'DISPUTED_LATE', 'DETAILS', 'NOTED', 'ESCALATED', 'ESCALATION_RESOLVED', 'ASSIGNED', 'UNASSIGNED', 'LABELLED')) NOT VALID;--> statement-breakpoint
ALTER TABLE "status_transition" VALIDATE CONSTRAINT "status_transition_verdict";
