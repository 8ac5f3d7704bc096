-- Each statement by itself: indexes are built and constraints validated without blocking writers. Statements are idempotent, so that an interrupted migration can be run again.
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_closed";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_closed" ON "vkyc_session" USING btree ("created_at","id") WHERE "vkyc_session"."closed";--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_replaced";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_replaced" ON "vkyc_session" USING btree ("created_at","id") WHERE "vkyc_session"."replaced";--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_confirming";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_confirming" ON "vkyc_session" USING btree ("next_poll_at") WHERE "vkyc_session"."next_poll_at" is not null and "vkyc_session"."sub_status" in ('AUDITOR_APPROVED', 'AUDITOR_REJECTED', 'INSUFFICIENT_BALANCE', 'REJECTED_BY_MERCHANT', 'FAILED_BY_MERCHANT', 'REPLACED', 'VKYC_EXPIRED');
