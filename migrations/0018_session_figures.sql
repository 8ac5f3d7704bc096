CREATE TABLE "session_figures" (
	"series" text NOT NULL,
	"from_at" timestamp (3) with time zone NOT NULL,
	"figures" jsonb NOT NULL,
	"as_of" timestamp (3) with time zone NOT NULL,
	"took_ms" integer NOT NULL,
	CONSTRAINT "session_figures_series_from_at_pk" PRIMARY KEY("series","from_at")
);
