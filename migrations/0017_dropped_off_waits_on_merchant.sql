-- Each statement by itself (no transaction): the update below commits in batches, and an interrupted
-- migration can be run again.
-- A session whose customer dropped off waits on the merchant. The last release writes that it waits on the
-- customer: the trigger corrects what that release writes during a rolling deploy.
CREATE OR REPLACE FUNCTION "vkyc_session_dropped_off"() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN NEW."waiting_on" := 'MERCHANT'; RETURN NEW; END $$;--> statement-breakpoint
CREATE OR REPLACE TRIGGER "vkyc_session_dropped_off" BEFORE INSERT OR UPDATE ON "vkyc_session" FOR EACH ROW
  WHEN (NEW."sub_status" = 'USER_DROPPED_OFF' AND NEW."waiting_on" = 'CUSTOMER')
  EXECUTE FUNCTION "vkyc_session_dropped_off"();--> statement-breakpoint
DO $$
DECLARE
  batch uuid[];
BEGIN
  LOOP
    SELECT array_agg("id" ORDER BY "id") INTO batch
      FROM (SELECT "id" FROM "vkyc_session"
        WHERE "sub_status" = 'USER_DROPPED_OFF' AND "waiting_on" = 'CUSTOMER' LIMIT 1000) next;
    EXIT WHEN batch IS NULL;
    UPDATE "vkyc_session" SET "waiting_on" = 'MERCHANT'
      WHERE "id" = ANY (batch) AND "sub_status" = 'USER_DROPPED_OFF' AND "waiting_on" = 'CUSTOMER';
    COMMIT;
  END LOOP;
END $$;
