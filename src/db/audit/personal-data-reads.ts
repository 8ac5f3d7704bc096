import { asc, count, desc, gt, isNull, sql } from 'drizzle-orm';
import type { ChainedRead, ReadChainLink, ReadChainStart } from '../../domain/read-chain.ts';
import type { Queryable, Transaction } from '../connection/client.ts';
import { personalDataReads, readChains } from '../schema/tables.ts';
import { executeWrite, prepareCommand } from '../statements/prepared.ts';
import { createJsonRecordset } from '../statements/row-mapper.ts';

export type PersonalDataReadRow = typeof personalDataReads.$inferSelect;

/** Returns the key under which the read log names a row with personal data, such as `vkyc_user:…`. */
export const formatPersonalDataRowKey = (
  kind: 'vkyc_user' | 'vkyc_session' | 'webhook_inbox',
  id: string,
): string => `${kind}:${id}`;

const CHAINS = createJsonRecordset(readChains);
const READS = createJsonRecordset(personalDataReads, ['id']);

const keepReads = prepareCommand(
  'keep reads',
  `with begun as (
     insert into read_chain (${CHAINS.columns}) select ${CHAINS.columns} from ${CHAINS.fromParameter('$1')}
   )
   insert into personal_data_read (${READS.columns})
   select ${READS.columns} from ${READS.fromParameter('$2')}
   where $3::uuid is null or exists (
     select from personal_data_read before where before.chain_id = $3::uuid and before.number = $4::int
   )
   order by number`,
);

/**
 * Stores reads of personal data in one chain of the read log, by one statement that commits by itself. For a
 * new chain, the statement also stores the chain's beginning. If a failover lost the preceding read, returns
 * false and stores nothing.
 */
export async function insertChainedReads(
  db: Queryable,
  begun: ReadChainStart | null,
  reads: readonly ChainedRead[],
): Promise<boolean> {
  const rows = reads as readonly (Omit<PersonalDataReadRow, 'id'> & ChainedRead)[];
  const [first] = reads as [ChainedRead];
  const before = begun ? [null, null] : [first.chainId, first.number - 1];
  const stored = await executeWrite(
    db,
    keepReads(CHAINS.serialize(begun ? [begun] : []), READS.serialize(rows), ...before),
  );
  return stored === reads.length;
}

/** Returns the chain of the read log that began last; null if there is none. */
export async function findNewestReadChainStart(db: Queryable): Promise<ReadChainStart | null> {
  const [chain] = await db
    .select()
    .from(readChains)
    .orderBy(desc(readChains.startedAt), desc(readChains.id))
    .limit(1);
  return chain ?? null;
}

export const findReadChainStarts = (db: Queryable): Promise<ReadChainStart[]> =>
  db.select().from(readChains).orderBy(asc(readChains.startedAt));

/** Returns the head (newest entry) of each chain of the read log. */
export async function findReadChainHeads(db: Queryable): Promise<ReadChainLink[]> {
  const { rows } = await db.execute<{ chainId: string; number: number; hash: Buffer }>(sql`
    select c.id as "chainId", r.number, r.hash from ${readChains} c
    cross join lateral (
      select number, hash from ${personalDataReads} r where r.chain_id = c.id order by r.number desc limit 1
    ) r order by c.id`);
  return rows;
}

export async function countUnchainedReads(db: Queryable): Promise<number> {
  const [row] = await db
    .select({ count: count() })
    .from(personalDataReads)
    .where(isNull(personalDataReads.chainId));
  return row?.count ?? 0;
}

/** Returns the next entries of the read log after `id`, in id order. */
export const findPersonalDataReadsAfter = (
  tx: Transaction,
  id: bigint,
  limit: number,
): Promise<PersonalDataReadRow[]> =>
  tx
    .select()
    .from(personalDataReads)
    .where(gt(personalDataReads.id, id))
    .orderBy(asc(personalDataReads.id))
    .limit(limit);
