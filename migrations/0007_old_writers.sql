-- Adds the triggers of migration 0004 where it ran in its first version, which lacked them, so that earlier
-- releases could no longer write sessions.
CREATE OR REPLACE FUNCTION "vkyc_session_date_status"() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN NEW."status_since" := NEW."updated_at"; RETURN NEW; END $$;--> statement-breakpoint
CREATE OR REPLACE TRIGGER "vkyc_session_begun" BEFORE INSERT ON "vkyc_session" FOR EACH ROW
  WHEN (NEW."status_since" IS NULL) EXECUTE FUNCTION "vkyc_session_date_status"();--> statement-breakpoint
CREATE OR REPLACE TRIGGER "vkyc_session_moved" BEFORE UPDATE ON "vkyc_session" FOR EACH ROW
  WHEN (NEW."version" <> OLD."version" AND NEW."status_since" IS NOT DISTINCT FROM OLD."status_since")
  EXECUTE FUNCTION "vkyc_session_date_status"();
