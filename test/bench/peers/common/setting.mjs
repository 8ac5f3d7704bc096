/** Environment that every peer gets, and how a peer reports its port to the bench. */
import pg from 'pg';
import { answerOrders } from '../../../../.build/bench/test/bench/harness/orders.js';
import { Sealer } from '../../../../.build/encryption/sealing.js';

const [id, key] = process.env.DATA_KEYS.split(':');
export const sealer = new Sealer([{ id, key: Buffer.from(key, 'base64') }]);

/** The same number of connections as the gateway. */
export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
pool.on('error', () => {});

export const rowsOf = async (statement) => (await pool.query(statement)).rows;

/** Makes the port available to the bench. */
export const listensAt = (port) => answerOrders({ port: () => port });
