CREATE TABLE "personal_data_read" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"viewer" text NOT NULL,
	"operations" text[] NOT NULL,
	"fields" text[] NOT NULL,
	"subjects" text[] NOT NULL
);
--> statement-breakpoint
ALTER TABLE "audit_entry" DROP CONSTRAINT "audit_entry_kind";--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN "erased_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "vkyc_user" ADD COLUMN "erased_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "personal_data_read_at" ON "personal_data_read" USING brin ("at");--> statement-breakpoint
CREATE INDEX "vkyc_user_phone" ON "vkyc_user" USING btree ("phone_hash");--> statement-breakpoint
ALTER TABLE "audit_entry" ADD CONSTRAINT "audit_entry_kind" CHECK ("audit_entry"."kind" in ('ADOPTION', 'TRANSITION', 'MEETING', 'REVIEW', 'ERASURE'));