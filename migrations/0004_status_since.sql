-- Each statement by itself (no transaction): the update below commits in batches, and an interrupted
-- migration can be run again. Releases that do not know the column keep running meanwhile.
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "status_since" timestamp (3) with time zone;--> statement-breakpoint
-- When an earlier release, which does not know the column, writes a row, triggers fill the column from updated_at.
CREATE OR REPLACE FUNCTION "vkyc_session_date_status"() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN NEW."status_since" := NEW."updated_at"; RETURN NEW; END $$;--> statement-breakpoint
CREATE OR REPLACE TRIGGER "vkyc_session_begun" BEFORE INSERT ON "vkyc_session" FOR EACH ROW
  WHEN (NEW."status_since" IS NULL) EXECUTE FUNCTION "vkyc_session_date_status"();--> statement-breakpoint
CREATE OR REPLACE TRIGGER "vkyc_session_moved" BEFORE UPDATE ON "vkyc_session" FOR EACH ROW
  WHEN (NEW."version" <> OLD."version" AND NEW."status_since" IS NOT DISTINCT FROM OLD."status_since")
  EXECUTE FUNCTION "vkyc_session_date_status"();--> statement-breakpoint
-- Fills the column of existing rows in batches. A session's version is the sequence of its newest applied
-- transition, so the primary key of the log finds the time of that transition.
DO $$
DECLARE
  last uuid := '00000000-0000-0000-0000-000000000000';
  batch uuid[];
BEGIN
  LOOP
    SELECT array_agg("id" ORDER BY "id") INTO batch
      FROM (SELECT "id" FROM "vkyc_session" WHERE "id" > last ORDER BY "id" LIMIT 1000) next;
    EXIT WHEN batch IS NULL;
    UPDATE "vkyc_session" s SET "status_since" = coalesce((SELECT t."recorded_at" FROM "status_transition" t
        WHERE t."session_id" = s."id" AND t."sequence" = s."version"), s."updated_at")
      WHERE s."id" = ANY (batch) AND s."status_since" IS NULL;
    COMMIT;
    last := batch[cardinality(batch)];
  END LOOP;
END $$;--> statement-breakpoint
-- VALIDATE CONSTRAINT does not block writers; with the valid constraint, SET NOT NULL needs no table scan.
ALTER TABLE "vkyc_session" DROP CONSTRAINT IF EXISTS "vkyc_session_dated";--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD CONSTRAINT "vkyc_session_dated" CHECK ("status_since" IS NOT NULL) NOT VALID;--> statement-breakpoint
ALTER TABLE "vkyc_session" VALIDATE CONSTRAINT "vkyc_session_dated";--> statement-breakpoint
-- contract: the triggers above fill the column for every release, so it is never null.
ALTER TABLE "vkyc_session" ALTER COLUMN "status_since" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "vkyc_session" DROP CONSTRAINT "vkyc_session_dated";
