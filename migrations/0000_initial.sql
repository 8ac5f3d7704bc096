CREATE TABLE "feed" (
	"position" bigint PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"sequence" integer NOT NULL,
	CONSTRAINT "feed_transition" UNIQUE("session_id","sequence")
);
--> statement-breakpoint
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
CREATE TABLE "webhook_inbox" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"body_hash" "bytea" NOT NULL,
	"body" "bytea" NOT NULL,
	"verification_id" text,
	"state" text NOT NULL,
	"reason" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "webhook_inbox_body_hash_unique" UNIQUE("body_hash"),
	CONSTRAINT "webhook_inbox_state" CHECK ("webhook_inbox"."state" in ('PENDING', 'DONE', 'PARKED'))
);
--> statement-breakpoint
CREATE TABLE "log_identity" (
	"epoch" integer PRIMARY KEY NOT NULL,
	"cursor_key" "bytea" NOT NULL
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
CREATE TABLE "transition_outbox" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"sequence" integer NOT NULL
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
CREATE TABLE "vkyc_session" (
	"id" uuid PRIMARY KEY NOT NULL,
	"verification_id" text NOT NULL,
	"reference_id" text,
	"user_id" uuid NOT NULL,
	"user_template" text,
	"agent_template" text,
	"status" text NOT NULL,
	"sub_status" text NOT NULL,
	"raw_status" text,
	"raw_sub_status" text,
	"version" integer NOT NULL,
	"last_sequence" integer NOT NULL,
	"disputed" boolean NOT NULL,
	"waiting_on" text NOT NULL,
	"decided_here" boolean NOT NULL,
	"provider_status" text NOT NULL,
	"provider_sub_status" text NOT NULL,
	"provider_event_time" timestamp (3) with time zone,
	"provider_webhooks" integer NOT NULL,
	"link" "bytea",
	"link_expires_at" timestamp (3) with time zone,
	"provider_meeting_at" timestamp (3) with time zone,
	"replaces_id" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "vkyc_session_verification_id_unique" UNIQUE("verification_id"),
	CONSTRAINT "vkyc_session_pair" CHECK (("vkyc_session"."status", "vkyc_session"."sub_status") in (('RECEIVED', 'LINK_GENERATED'), ('PRE_VIDEO_CALL', 'AADHAAR_VERIFICATION_SUCCESS'), ('PRE_VIDEO_CALL', 'AADHAAR_VERIFICATION_FAILED'), ('PRE_VIDEO_CALL', 'AADHAAR_VERIFICATION_EXPIRED'), ('PRE_VIDEO_CALL', 'USER_IP_VERIFICATION_SUCCESSFUL'), ('PRE_VIDEO_CALL', 'USER_PROXY_DETECTED'), ('PRE_VIDEO_CALL', 'TECHNICAL_FAILURE'), ('PRE_VIDEO_CALL', 'USER_LOCATION_VERIFICATION_SUCCESS'), ('PRE_VIDEO_CALL', 'USER_LOCATION_OUTSIDE_INDIA'), ('PRE_VIDEO_CALL', 'USER_AUDIO_CHECK_FAILED'), ('PRE_VIDEO_CALL', 'USER_VIDEO_CHECK_FAILED'), ('PRE_VIDEO_CALL', 'USER_LOCATION_PERMISSION_DISABLED'), ('PRE_VIDEO_CALL', 'USER_DEVICE_CHECK_SUCCESS'), ('PRE_VIDEO_CALL', 'USER_QUEUED'), ('PRE_VIDEO_CALL', 'SCHEDULED_USER_QUEUED'), ('PRE_VIDEO_CALL', 'NO_AGENT_FOUND'), ('PRE_VIDEO_CALL', 'AGENT_ASSIGNED_TO_USER'), ('PRE_VIDEO_CALL', 'USER_MEETING_SCHEDULED'), ('PRE_VIDEO_CALL', 'USER_MEETING_CANCELLED'), ('VIDEO_CALL', 'USER_ACCEPTED_MEETING'), ('VIDEO_CALL', 'USER_REJECTED_MEETING'), ('VIDEO_CALL', 'USER_MISSED_MEETING'), ('VIDEO_CALL', 'USER_DROPPED_OFF'), ('VIDEO_CALL', 'AGENT_DROPPED_OFF'), ('VIDEO_CALL', 'USER_ENDED_CALL'), ('VIDEO_CALL', 'AGENT_ENDED_CALL'), ('AGENT_REVIEWED', 'AGENT_APPROVED'), ('AGENT_REVIEWED', 'AGENT_REJECTED'), ('AGENT_REVIEWED', 'AGENT_UNABLE_TO_VALIDATE'), ('AUDITOR_REVIEWED', 'AUDITOR_APPROVED'), ('AUDITOR_REVIEWED', 'AUDITOR_REJECTED'), ('REJECTED', 'INSUFFICIENT_BALANCE'), ('FAILED', 'TECHNICAL_ERROR'), ('EXPIRED', 'VKYC_EXPIRED'), ('RECEIVED', 'UNRECOGNIZED'), ('PRE_VIDEO_CALL', 'UNRECOGNIZED'), ('VIDEO_CALL', 'UNRECOGNIZED'), ('AGENT_REVIEWED', 'UNRECOGNIZED'), ('AUDITOR_REVIEWED', 'UNRECOGNIZED'), ('REJECTED', 'UNRECOGNIZED'), ('FAILED', 'UNRECOGNIZED'), ('EXPIRED', 'UNRECOGNIZED'), ('UNRECOGNIZED', 'UNRECOGNIZED')))
);
--> statement-breakpoint
CREATE TABLE "provider_sighting" (
	"session_id" uuid NOT NULL,
	"sequence" integer NOT NULL,
	"raw_status" text NOT NULL,
	"raw_sub_status" text NOT NULL,
	"event_time" timestamp (3) with time zone,
	CONSTRAINT "provider_sighting_session_id_sequence_pk" PRIMARY KEY("session_id","sequence")
);
--> statement-breakpoint
CREATE TABLE "start_intent" (
	"verification_id" text PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"caller" text NOT NULL,
	"input_hash" "bytea" NOT NULL,
	"user_id" uuid,
	"user_template" text,
	"agent_template" text,
	"replaces_id" uuid,
	"sends" integer NOT NULL,
	"state" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "start_intent_session_id_unique" UNIQUE("session_id")
);
--> statement-breakpoint
CREATE TABLE "status_transition" (
	"session_id" uuid NOT NULL,
	"sequence" integer NOT NULL,
	"from_status" text,
	"from_sub_status" text,
	"status" text NOT NULL,
	"sub_status" text NOT NULL,
	"raw_status" text,
	"raw_sub_status" text,
	"verdict" text NOT NULL,
	"source" text NOT NULL,
	"actor" text,
	"occurred_at" timestamp (3) with time zone,
	"recorded_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "status_transition_session_id_sequence_pk" PRIMARY KEY("session_id","sequence"),
	CONSTRAINT "status_transition_pair" CHECK (("status_transition"."status", "status_transition"."sub_status") in (('RECEIVED', 'LINK_GENERATED'), ('PRE_VIDEO_CALL', 'AADHAAR_VERIFICATION_SUCCESS'), ('PRE_VIDEO_CALL', 'AADHAAR_VERIFICATION_FAILED'), ('PRE_VIDEO_CALL', 'AADHAAR_VERIFICATION_EXPIRED'), ('PRE_VIDEO_CALL', 'USER_IP_VERIFICATION_SUCCESSFUL'), ('PRE_VIDEO_CALL', 'USER_PROXY_DETECTED'), ('PRE_VIDEO_CALL', 'TECHNICAL_FAILURE'), ('PRE_VIDEO_CALL', 'USER_LOCATION_VERIFICATION_SUCCESS'), ('PRE_VIDEO_CALL', 'USER_LOCATION_OUTSIDE_INDIA'), ('PRE_VIDEO_CALL', 'USER_AUDIO_CHECK_FAILED'), ('PRE_VIDEO_CALL', 'USER_VIDEO_CHECK_FAILED'), ('PRE_VIDEO_CALL', 'USER_LOCATION_PERMISSION_DISABLED'), ('PRE_VIDEO_CALL', 'USER_DEVICE_CHECK_SUCCESS'), ('PRE_VIDEO_CALL', 'USER_QUEUED'), ('PRE_VIDEO_CALL', 'SCHEDULED_USER_QUEUED'), ('PRE_VIDEO_CALL', 'NO_AGENT_FOUND'), ('PRE_VIDEO_CALL', 'AGENT_ASSIGNED_TO_USER'), ('PRE_VIDEO_CALL', 'USER_MEETING_SCHEDULED'), ('PRE_VIDEO_CALL', 'USER_MEETING_CANCELLED'), ('VIDEO_CALL', 'USER_ACCEPTED_MEETING'), ('VIDEO_CALL', 'USER_REJECTED_MEETING'), ('VIDEO_CALL', 'USER_MISSED_MEETING'), ('VIDEO_CALL', 'USER_DROPPED_OFF'), ('VIDEO_CALL', 'AGENT_DROPPED_OFF'), ('VIDEO_CALL', 'USER_ENDED_CALL'), ('VIDEO_CALL', 'AGENT_ENDED_CALL'), ('AGENT_REVIEWED', 'AGENT_APPROVED'), ('AGENT_REVIEWED', 'AGENT_REJECTED'), ('AGENT_REVIEWED', 'AGENT_UNABLE_TO_VALIDATE'), ('AUDITOR_REVIEWED', 'AUDITOR_APPROVED'), ('AUDITOR_REVIEWED', 'AUDITOR_REJECTED'), ('REJECTED', 'INSUFFICIENT_BALANCE'), ('FAILED', 'TECHNICAL_ERROR'), ('EXPIRED', 'VKYC_EXPIRED'), ('RECEIVED', 'UNRECOGNIZED'), ('PRE_VIDEO_CALL', 'UNRECOGNIZED'), ('VIDEO_CALL', 'UNRECOGNIZED'), ('AGENT_REVIEWED', 'UNRECOGNIZED'), ('AUDITOR_REVIEWED', 'UNRECOGNIZED'), ('REJECTED', 'UNRECOGNIZED'), ('FAILED', 'UNRECOGNIZED'), ('EXPIRED', 'UNRECOGNIZED'), ('UNRECOGNIZED', 'UNRECOGNIZED'))),
	CONSTRAINT "status_transition_verdict" CHECK ("status_transition"."verdict" in ('MOVED', 'LATE', 'REVIEWED', 'ENDED', 'DISPUTED', 'DISPUTED_LATE')),
	CONSTRAINT "status_transition_source" CHECK ("status_transition"."source" in ('WEBHOOK', 'POLL', 'MUTATION')),
	CONSTRAINT "status_transition_sequence" CHECK ("status_transition"."sequence" > 0)
);
--> statement-breakpoint
CREATE TABLE "vkyc_user" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"personal" "bytea" NOT NULL,
	"phone_hash" "bytea",
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "vkyc_user_user_id_unique" UNIQUE("user_id")
);
--> statement-breakpoint
ALTER TABLE "feed" ADD CONSTRAINT "feed_session_id_sequence_status_transition_session_id_sequence_fk" FOREIGN KEY ("session_id","sequence") REFERENCES "public"."status_transition"("session_id","sequence") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "meeting" ADD CONSTRAINT "meeting_session_id_vkyc_session_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."vkyc_session"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "review" ADD CONSTRAINT "review_session_id_vkyc_session_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."vkyc_session"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD CONSTRAINT "vkyc_session_user_id_vkyc_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."vkyc_user"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vkyc_session" ADD CONSTRAINT "vkyc_session_replaces_id_vkyc_session_id_fk" FOREIGN KEY ("replaces_id") REFERENCES "public"."vkyc_session"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "start_intent" ADD CONSTRAINT "start_intent_user_id_vkyc_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."vkyc_user"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "status_transition" ADD CONSTRAINT "status_transition_session_id_vkyc_session_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."vkyc_session"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "webhook_inbox_queue" ON "webhook_inbox" USING btree ("id") WHERE "webhook_inbox"."state" = 'PENDING';--> statement-breakpoint
CREATE INDEX "webhook_inbox_session" ON "webhook_inbox" USING btree ("verification_id","id") WHERE "webhook_inbox"."state" <> 'DONE';--> statement-breakpoint
CREATE INDEX "meeting_session" ON "meeting" USING btree ("session_id","created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "meeting_booked" ON "meeting" USING btree ("session_id") WHERE "meeting"."status" = 'SCHEDULED';--> statement-breakpoint
CREATE INDEX "vkyc_session_created" ON "vkyc_session" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "vkyc_session_updated" ON "vkyc_session" USING btree ("updated_at","id");--> statement-breakpoint
CREATE INDEX "vkyc_session_status" ON "vkyc_session" USING btree ("status","created_at","id");--> statement-breakpoint
CREATE INDEX "vkyc_session_sub_status" ON "vkyc_session" USING btree ("sub_status","created_at","id");--> statement-breakpoint
CREATE INDEX "vkyc_session_waiting_on" ON "vkyc_session" USING btree ("waiting_on","created_at","id");--> statement-breakpoint
CREATE INDEX "vkyc_session_prefix" ON "vkyc_session" USING btree ("verification_id" text_pattern_ops);--> statement-breakpoint
CREATE UNIQUE INDEX "vkyc_session_replaces" ON "vkyc_session" USING btree ("replaces_id");--> statement-breakpoint
CREATE INDEX "vkyc_session_user" ON "vkyc_session" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "provider_sighting_words" ON "provider_sighting" USING btree ("session_id","raw_status","raw_sub_status","event_time");--> statement-breakpoint
CREATE UNIQUE INDEX "start_intent_replaces" ON "start_intent" USING btree ("replaces_id") WHERE "start_intent"."state" in ('OPEN', 'DONE');--> statement-breakpoint
-- The one row that makes cursors verifiable: 244 random bits, drawn here so that every replica shares them.
INSERT INTO "log_identity" ("epoch", "cursor_key")
VALUES (1, decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
--> statement-breakpoint
CREATE UNIQUE INDEX "log_identity_single" ON "log_identity" ((true));
