import { sql } from 'drizzle-orm';
import type { ProviderCallPurpose } from '../../domain/ports.ts';
import type { Database } from '../connection/client.ts';
import { providerBudget, providerCalls } from '../schema/tables.ts';

/**
 * Limits of the provider call budget: `total` is the maximum number of calls in any 60 seconds, by all
 * replicas together.
 */
export interface ProviderCallLimits {
  readonly total: number;
  /** Maximum number of polls (periodic GET calls for sessions' states) among the `total` calls. */
  readonly polls: number;
}

/**
 * Takes one provider call from the budget. Returns 0 if the call is allowed now, otherwise the milliseconds
 * to wait before asking again. Replicas serialize on the budget row (row lock). A sliding window of one
 * minute limits all calls; polls are also evenly spaced.
 */
export async function acquireProviderCallOrGetWaitMs(
  db: Database,
  purpose: ProviderCallPurpose,
  limits: ProviderCallLimits,
): Promise<number> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`select 1 from ${providerBudget} for update`);
    await tx.execute(sql`delete from ${providerCalls} where at <= clock_timestamp() - interval '60 seconds'`);
    const { rows } = await tx.execute<{ wait: number }>(sql`
      select greatest(
        0,
        ${until(sql`(select calls_paused_until from ${providerBudget})`)},
        -- provider_call has the calls of the last minute. If the budget is used up, wait until the oldest is a minute old.
        ${until(sql`(select at + interval '60 seconds' from ${providerCalls} order by at desc offset ${limits.total - 1} limit 1)`)},
        ${purpose === 'POLL' ? pollsWait(limits) : sql`0`}
      )::int as wait`);
    const wait = rows[0]?.wait ?? 0;
    if (wait === 0) await tx.insert(providerCalls).values({ at: sql`clock_timestamp()`, purpose });
    return wait;
  });
}

const pollsWait = ({ polls }: ProviderCallLimits) => sql`
  greatest(
    ${until(sql`(select polls_paused_until from ${providerBudget})`)},
    ${until(sql`(select max(at) + ${`${60_000 / polls} milliseconds`}::interval from ${providerCalls} where purpose = 'POLL')`)}
  )`;

/** SQL for the milliseconds until a time. Null if the time is null; `greatest` ignores nulls. */
const until = (time: ReturnType<typeof sql>) =>
  sql`ceil(extract(epoch from ${time} - clock_timestamp()) * 1000)`;

/** Pauses all provider calls, or only polls, for some seconds. A longer pause that is already set stays. */
export async function pauseProviderCalls(
  db: Database,
  seconds: number,
  whom: 'POLLS' | 'EVERYONE',
): Promise<void> {
  const end = sql`clock_timestamp() + make_interval(secs => ${seconds})`;
  await db
    .update(providerBudget)
    .set(
      whom === 'POLLS'
        ? { pollsPausedUntil: sql`greatest(${providerBudget.pollsPausedUntil}, ${end})` }
        : { callsPausedUntil: sql`greatest(${providerBudget.callsPausedUntil}, ${end})` },
    );
}
