-- Each statement by itself: indexes are built and constraints validated without blocking writers. Statements are idempotent, so that an interrupted migration can be run again.
-- Returns the groups of three neighbouring characters of a text. Every text that contains another has all of its trigrams.
-- A loop in PL/pgSQL takes a sixth of the time of a query over generate_series, which a search spends on each session that it counts.
CREATE OR REPLACE FUNCTION "trigrams"("text" text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ DECLARE
    found text[] := '{}';
  BEGIN
    FOR i IN 1 .. length("text") - 2 LOOP
      found := found || substr("text", i, 3);
    END LOOP;
    RETURN found;
  END $$;--> statement-breakpoint
CREATE TABLE IF NOT EXISTS "session_term" (
	"session_id" uuid NOT NULL CONSTRAINT "session_term_session_id_vkyc_session_id_fk" REFERENCES "vkyc_session"("id") ON DELETE cascade,
	"term" text NOT NULL,
	CONSTRAINT "session_term_session_id_term_pk" PRIMARY KEY("session_id","term")
);--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "session_term_trigrams" ON "session_term" USING gin (trigrams("term"));--> statement-breakpoint
-- Writes the terms of new sessions, also of those that the last release records during a rolling deploy.
CREATE OR REPLACE FUNCTION "vkyc_session_terms"() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN
    INSERT INTO "session_term" ("session_id", "term")
      SELECT NEW."id", lower(term COLLATE "C") FROM unnest(ARRAY[NEW."verification_id", NEW."reference_id"]) term
      WHERE term IS NOT NULL
      ON CONFLICT DO NOTHING;
    RETURN NULL;
  END $$;--> statement-breakpoint
CREATE OR REPLACE TRIGGER "vkyc_session_terms" AFTER INSERT ON "vkyc_session" FOR EACH ROW
  EXECUTE FUNCTION "vkyc_session_terms"();--> statement-breakpoint
CREATE OR REPLACE TRIGGER "vkyc_session_reference_term" AFTER UPDATE ON "vkyc_session" FOR EACH ROW
  WHEN (NEW."reference_id" IS DISTINCT FROM OLD."reference_id")
  EXECUTE FUNCTION "vkyc_session_terms"();--> statement-breakpoint
-- Writes the terms of the sessions recorded before the triggers existed, in batches, each committed. The row locks make a batch leave out a session that is archived meanwhile, whose foreign key would fail.
DO $$
DECLARE
  last uuid := '00000000-0000-0000-0000-000000000000';
  batch uuid[];
BEGIN
  LOOP
    SELECT array_agg("id" ORDER BY "id") INTO batch
      FROM (SELECT "id" FROM "vkyc_session" WHERE "id" > last ORDER BY "id" LIMIT 500) next;
    EXIT WHEN batch IS NULL;
    INSERT INTO "session_term" ("session_id", "term")
      SELECT s."id", lower(term COLLATE "C") FROM "vkyc_session" s, unnest(ARRAY[s."verification_id", s."reference_id"]) term
      WHERE s."id" = ANY (batch) AND term IS NOT NULL
      FOR KEY SHARE OF s
      ON CONFLICT DO NOTHING;
    last := batch[array_length(batch, 1)];
    COMMIT;
  END LOOP;
END $$;--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_status_since";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_status_since" ON "vkyc_session" USING btree ("status_since","id") WHERE not "vkyc_session"."sub_status" in ('AUDITOR_APPROVED', 'AUDITOR_REJECTED', 'INSUFFICIENT_BALANCE', 'REJECTED_BY_MERCHANT', 'FAILED_BY_MERCHANT', 'REPLACED', 'VKYC_EXPIRED');--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_link_expires";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_link_expires" ON "vkyc_session" USING btree ("link_expires_at","id") WHERE not "vkyc_session"."sub_status" in ('AUDITOR_APPROVED', 'AUDITOR_REJECTED', 'INSUFFICIENT_BALANCE', 'REJECTED_BY_MERCHANT', 'FAILED_BY_MERCHANT', 'REPLACED', 'VKYC_EXPIRED');--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_meeting";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_meeting" ON "vkyc_session" USING btree ("meeting_at","id") WHERE "vkyc_session"."meeting_at" is not null;
