ALTER TABLE "vkyc_session" ADD COLUMN "languages" text;--> statement-breakpoint
ALTER TABLE "start_intent" ADD COLUMN "languages" text;