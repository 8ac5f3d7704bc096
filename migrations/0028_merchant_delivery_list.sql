-- Each statement by itself: indexes are built and constraints validated without blocking writers. Statements are idempotent, so that an interrupted migration can be run again.
DROP INDEX CONCURRENTLY IF EXISTS "merchant_delivery_listed";--> statement-breakpoint
CREATE INDEX CONCURRENTLY "merchant_delivery_listed" ON "merchant_delivery" USING btree ("endpoint","state","type","id");
