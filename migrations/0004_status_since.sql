ALTER TABLE "vkyc_session" ADD COLUMN "status_since" timestamp (3) with time zone;--> statement-breakpoint
-- The version of a session is the sequence of the transition that moved it last: one join by the log's key, whatever the length of the log.
UPDATE "vkyc_session" SET "status_since" = t."recorded_at" FROM "status_transition" t
  WHERE t."session_id" = "vkyc_session"."id" AND t."sequence" = "vkyc_session"."version";--> statement-breakpoint
ALTER TABLE "vkyc_session" ALTER COLUMN "status_since" SET NOT NULL;
