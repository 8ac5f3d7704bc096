CREATE TABLE "doubted_answer" (
	"session_id" uuid PRIMARY KEY NOT NULL,
	"raw_status" text NOT NULL,
	"raw_sub_status" text NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	"webhooks" integer NOT NULL
);
