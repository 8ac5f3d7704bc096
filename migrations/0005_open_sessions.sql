-- Each statement by itself (no transaction): the index is built without blocking writers. After an interruption,
-- the incomplete index is dropped and built again.
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_open";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_open" ON "vkyc_session" USING btree ("status","sub_status","waiting_on","status_since") WHERE not "vkyc_session"."sub_status" in ('AUDITOR_APPROVED', 'AUDITOR_REJECTED', 'INSUFFICIENT_BALANCE', 'VKYC_EXPIRED');
