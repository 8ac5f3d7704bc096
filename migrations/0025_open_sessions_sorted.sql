-- Each statement by itself: indexes are built and constraints validated without blocking writers. Statements are idempotent, so that an interrupted migration can be run again.
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_open_created";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_open_created" ON "vkyc_session" USING btree ("created_at","id") WHERE not "vkyc_session"."sub_status" in ('AUDITOR_APPROVED', 'AUDITOR_REJECTED', 'INSUFFICIENT_BALANCE', 'REJECTED_BY_MERCHANT', 'FAILED_BY_MERCHANT', 'REPLACED', 'VKYC_EXPIRED');--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_open_updated";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_open_updated" ON "vkyc_session" USING btree ("updated_at","id") WHERE not "vkyc_session"."sub_status" in ('AUDITOR_APPROVED', 'AUDITOR_REJECTED', 'INSUFFICIENT_BALANCE', 'REJECTED_BY_MERCHANT', 'FAILED_BY_MERCHANT', 'REPLACED', 'VKYC_EXPIRED');
