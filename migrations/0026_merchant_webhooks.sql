CREATE TABLE "merchant_delivery" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"endpoint" text NOT NULL,
	"position" bigint NOT NULL,
	"type" text NOT NULL,
	"session_id" uuid NOT NULL,
	"sequence" integer NOT NULL,
	"state" text DEFAULT 'PENDING' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"queued_at" timestamp (3) with time zone NOT NULL,
	"tried_since" timestamp (3) with time zone,
	"due_at" timestamp (3) with time zone NOT NULL,
	"claimed" boolean DEFAULT false NOT NULL,
	"outcome" text,
	"settled_at" timestamp (3) with time zone,
	CONSTRAINT "merchant_delivery_event" UNIQUE("endpoint","position","type"),
	CONSTRAINT "merchant_delivery_state" CHECK ("merchant_delivery"."state" in ('PENDING', 'DONE', 'PARKED'))
);
--> statement-breakpoint
CREATE TABLE "merchant_endpoint" (
	"name" text PRIMARY KEY NOT NULL,
	"position" bigint NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"failing_since" timestamp (3) with time zone,
	"paused_until" timestamp (3) with time zone,
	"probed_until" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "merchant_delivery" ADD CONSTRAINT "merchant_delivery_endpoint_merchant_endpoint_name_fk" FOREIGN KEY ("endpoint") REFERENCES "public"."merchant_endpoint"("name") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "merchant_delivery_due" ON "merchant_delivery" USING btree ("endpoint","due_at","id") WHERE "merchant_delivery"."state" = 'PENDING';--> statement-breakpoint
CREATE INDEX "merchant_delivery_line" ON "merchant_delivery" USING btree ("endpoint","session_id","position","type") WHERE "merchant_delivery"."state" = 'PENDING';--> statement-breakpoint
CREATE INDEX "merchant_delivery_left" ON "merchant_delivery" USING btree ("endpoint","state","queued_at") WHERE "merchant_delivery"."state" <> 'DONE';--> statement-breakpoint
CREATE INDEX "merchant_delivery_session" ON "merchant_delivery" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "merchant_delivery_done" ON "merchant_delivery" USING btree ("settled_at") WHERE "merchant_delivery"."state" = 'DONE';