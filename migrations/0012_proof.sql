-- Each statement by itself (no transaction): indexes are built and constraints validated without blocking writers. Statements are idempotent, so that an interrupted migration can be run again.
CREATE TABLE IF NOT EXISTS "data_key" (
	"id" text PRIMARY KEY NOT NULL
);--> statement-breakpoint
CREATE TABLE IF NOT EXISTS "read_chain" (
	"id" uuid PRIMARY KEY NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"previous_id" uuid,
	"previous_hash" "bytea",
	"key_id" text NOT NULL,
	"hash" "bytea" NOT NULL
);--> statement-breakpoint
CREATE TABLE IF NOT EXISTS "replica" (
	"id" uuid PRIMARY KEY NOT NULL,
	"data_keys" text[] NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL
);--> statement-breakpoint
ALTER TABLE "audit_entry" DROP CONSTRAINT IF EXISTS "audit_entry_kind";--> statement-breakpoint
ALTER TABLE "personal_data_read" ADD COLUMN IF NOT EXISTS "chain_id" uuid;--> statement-breakpoint
ALTER TABLE "personal_data_read" ADD COLUMN IF NOT EXISTS "number" integer;--> statement-breakpoint
ALTER TABLE "personal_data_read" ADD COLUMN IF NOT EXISTS "hash" "bytea";--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "person_salt" "bytea";--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "personal_data_read_chain";--> statement-breakpoint
CREATE UNIQUE INDEX CONCURRENTLY "personal_data_read_chain" ON "personal_data_read" USING btree ("chain_id","number") WHERE "personal_data_read"."chain_id" is not null;--> statement-breakpoint
ALTER TABLE "audit_entry" ADD CONSTRAINT "audit_entry_kind" CHECK ("audit_entry"."kind" in ('ADOPTION', 'SESSION', 'DETAILS', 'TRANSITION', 'MEETING', 'REVIEW', 'PSEUDONYM', 'ERASURE')) NOT VALID;--> statement-breakpoint
ALTER TABLE "audit_entry" VALIDATE CONSTRAINT "audit_entry_kind";--> statement-breakpoint
-- A trigger allows only the owner to change these columns. Column privileges cannot do that, because the last release
-- writes all columns of a session.
CREATE OR REPLACE FUNCTION "vkyc_session_keep_identity"() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN
    IF NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
      RAISE EXCEPTION 'permission denied: verification_id, user_id, created_at and erased_at of a session are kept'
        USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
  END $$;--> statement-breakpoint
CREATE OR REPLACE TRIGGER "vkyc_session_identity" BEFORE UPDATE ON "vkyc_session" FOR EACH ROW
  WHEN (NEW."verification_id" IS DISTINCT FROM OLD."verification_id" OR NEW."user_id" IS DISTINCT FROM OLD."user_id"
    OR NEW."created_at" IS DISTINCT FROM OLD."created_at" OR NEW."erased_at" IS DISTINCT FROM OLD."erased_at")
  EXECUTE FUNCTION "vkyc_session_keep_identity"();
