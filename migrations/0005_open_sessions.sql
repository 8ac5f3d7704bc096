-- Each statement by itself: the index is built without blocking writers. An interrupted build is dropped and repeated.
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_open";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_open" ON "vkyc_session" USING btree ("status","sub_status","waiting_on","status_since") WHERE not "vkyc_session"."sub_status" in ('AUDITOR_APPROVED', 'AUDITOR_REJECTED', 'INSUFFICIENT_BALANCE', 'VKYC_EXPIRED');
