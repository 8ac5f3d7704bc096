CREATE TABLE "idempotency_key" (
	"caller" text NOT NULL,
	"mutation" text NOT NULL,
	"key" text NOT NULL,
	"input_hash" "bytea" NOT NULL,
	"session_id" uuid NOT NULL,
	"outcome_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_key_caller_mutation_key_pk" PRIMARY KEY("caller","mutation","key")
);
--> statement-breakpoint
CREATE TABLE "meeting" (
	"id" uuid PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"status" text NOT NULL,
	"source" text NOT NULL,
	"scheduled_by" text,
	"cancelled_by" text,
	"cancel_reason" "bytea",
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "meeting_status" CHECK ("meeting"."status" in ('SCHEDULED', 'RESCHEDULED', 'CANCELLED', 'COMPLETED', 'MISSED'))
);
--> statement-breakpoint
CREATE TABLE "review" (
	"id" uuid PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"sequence" integer NOT NULL,
	"stage" text NOT NULL,
	"decision" text NOT NULL,
	"remarks" "bytea",
	"source" text NOT NULL,
	"reviewer" text,
	"recorded_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "review_transition" UNIQUE("session_id","sequence"),
	CONSTRAINT "review_stage" CHECK ("review"."stage" in ('AGENT', 'AUDITOR')),
	CONSTRAINT "review_decision" CHECK ("review"."decision" in ('APPROVED', 'REJECTED', 'UNABLE_TO_VALIDATE'))
);
--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN "provider_meeting_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD COLUMN "replaces_id" uuid;--> statement-breakpoint
ALTER TABLE "start_intent" ADD COLUMN "replaces_id" uuid;--> statement-breakpoint
ALTER TABLE "meeting" ADD CONSTRAINT "meeting_session_id_vkyc_session_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."vkyc_session"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review" ADD CONSTRAINT "review_session_id_vkyc_session_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."vkyc_session"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "meeting_session" ON "meeting" USING btree ("session_id","created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "meeting_booked" ON "meeting" USING btree ("session_id") WHERE "meeting"."status" = 'SCHEDULED';--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD CONSTRAINT "vkyc_session_replaces_id_vkyc_session_id_fk" FOREIGN KEY ("replaces_id") REFERENCES "public"."vkyc_session"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "vkyc_session_replaces" ON "vkyc_session" USING btree ("replaces_id");--> statement-breakpoint
CREATE UNIQUE INDEX "start_intent_replaces" ON "start_intent" USING btree ("replaces_id") WHERE "start_intent"."state" in ('OPEN', 'DONE');