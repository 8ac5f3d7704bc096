-- Each statement by itself (no transaction): one transaction would lock three tables in another order than
-- recording transactions do, and could deadlock with them.
ALTER TABLE "webhook_inbox" ADD COLUMN IF NOT EXISTS "provider" text DEFAULT 'cashfree' NOT NULL;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "provider" text DEFAULT 'cashfree' NOT NULL;--> statement-breakpoint
ALTER TABLE "start_intent" ADD COLUMN IF NOT EXISTS "provider" text DEFAULT 'cashfree' NOT NULL;--> statement-breakpoint
CREATE OR REPLACE FUNCTION "vkyc_session_keep_identity"() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN
    IF NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
      RAISE EXCEPTION 'permission denied: provider, verification_id, user_id, created_at and erased_at of a session are kept'
        USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
  END $$;--> statement-breakpoint
CREATE OR REPLACE TRIGGER "vkyc_session_identity" BEFORE UPDATE ON "vkyc_session" FOR EACH ROW
  WHEN (NEW."provider" IS DISTINCT FROM OLD."provider" OR NEW."verification_id" IS DISTINCT FROM OLD."verification_id"
    OR NEW."user_id" IS DISTINCT FROM OLD."user_id" OR NEW."created_at" IS DISTINCT FROM OLD."created_at"
    OR NEW."erased_at" IS DISTINCT FROM OLD."erased_at")
  EXECUTE FUNCTION "vkyc_session_keep_identity"();
