-- Each statement by itself (no transaction): the index is built without blocking writers. After an interruption,
-- the incomplete index is dropped and built again.
CREATE TABLE IF NOT EXISTS "archived_session" (
	"session_id" uuid PRIMARY KEY NOT NULL,
	"verification_id" text NOT NULL,
	"user_id" uuid NOT NULL,
	"ended_at" timestamp (3) with time zone NOT NULL,
	"archived_at" timestamp (3) with time zone NOT NULL,
	"file" text NOT NULL,
	CONSTRAINT "archived_session_verification_id_unique" UNIQUE("verification_id"),
	CONSTRAINT "archived_session_user_id_vkyc_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."vkyc_user"("id") ON DELETE no action ON UPDATE no action
);--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "archived_session_user" ON "archived_session" USING btree ("user_id");--> statement-breakpoint
ALTER TABLE "log_identity" ADD COLUMN IF NOT EXISTS "archived_position" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "idempotency_key_session";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "idempotency_key_session" ON "idempotency_key" USING btree ("session_id");
