/** What every peer is given, and how it tells the bench where it listens. */
import pg from 'pg';
import { answerOrders } from '../../../../.build/bench/test/bench/harness/orders.js';
import { Sealer } from '../../../../.build/encryption/sealing.js';

const [id, key] = process.env.DATA_KEYS.split(':');
export const sealer = new Sealer([{ id, key: Buffer.from(key, 'base64') }]);

/** As many connections as the gateway has. */
export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
pool.on('error', () => {});

export const rowsOf = async (statement) => (await pool.query(statement)).rows;

/** From now on the bench may ask for the port. */
export const listensAt = (port) => answerOrders({ port: () => port });
