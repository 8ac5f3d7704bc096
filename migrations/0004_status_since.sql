-- Each statement by itself: what was begun is taken up again, beside a release that does not know the column.
ALTER TABLE "vkyc_session" ADD COLUMN IF NOT EXISTS "status_since" timestamp (3) with time zone;--> statement-breakpoint
-- Such a release is helped: whatever moves a session, or makes one, is dated like the row.
CREATE OR REPLACE FUNCTION "vkyc_session_date_status"() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN NEW."status_since" := NEW."updated_at"; RETURN NEW; END $$;--> statement-breakpoint
CREATE OR REPLACE TRIGGER "vkyc_session_begun" BEFORE INSERT ON "vkyc_session" FOR EACH ROW
  WHEN (NEW."status_since" IS NULL) EXECUTE FUNCTION "vkyc_session_date_status"();--> statement-breakpoint
CREATE OR REPLACE TRIGGER "vkyc_session_moved" BEFORE UPDATE ON "vkyc_session" FOR EACH ROW
  WHEN (NEW."version" <> OLD."version" AND NEW."status_since" IS NOT DISTINCT FROM OLD."status_since")
  EXECUTE FUNCTION "vkyc_session_date_status"();--> statement-breakpoint
-- The version of a session is the sequence of the transition that moved it last: one look by the log's key for each.
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
-- A constraint is proven while others write; where it is, the column needs no look at the rows.
ALTER TABLE "vkyc_session" DROP CONSTRAINT IF EXISTS "vkyc_session_dated";--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD CONSTRAINT "vkyc_session_dated" CHECK ("status_since" IS NOT NULL) NOT VALID;--> statement-breakpoint
ALTER TABLE "vkyc_session" VALIDATE CONSTRAINT "vkyc_session_dated";--> statement-breakpoint
-- contract: by the triggers above, it is never null whoever writes.
ALTER TABLE "vkyc_session" ALTER COLUMN "status_since" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "vkyc_session" DROP CONSTRAINT "vkyc_session_dated";
