/**
 * Set-up that all peers (servers that the benchmarks compare with the gateway) share: keys and database from the
 * environment, and the report of the port to the bench.
 */
import pg from 'pg';
import { answerOrders } from '../../../../.build/bench/test/bench/harness/orders.js';
import { Sealer } from '../../../../.build/encryption/sealing.js';

const [id, key] = process.env.DATA_KEYS.split(':');
export const sealer = new Sealer([{ id, key: Buffer.from(key, 'base64') }]);

/** Connection pool of the peer, with as many connections as the gateway's. */
export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
pool.on('error', () => {});

export const rowsOf = async (statement) => (await pool.query(statement)).rows;

/** Tells the bench on which port the peer listens. */
export const listensAt = (port) => answerOrders({ port: () => port });
