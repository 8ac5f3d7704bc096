-- Each statement by itself: an index that is built beside its table's writers. One that was broken off is begun anew.
DROP INDEX CONCURRENTLY IF EXISTS "vkyc_session_open";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "vkyc_session_open" ON "vkyc_session" USING btree ("status","sub_status","waiting_on","status_since") WHERE not "vkyc_session"."sub_status" in ('AUDITOR_APPROVED', 'AUDITOR_REJECTED', 'INSUFFICIENT_BALANCE', 'VKYC_EXPIRED');
