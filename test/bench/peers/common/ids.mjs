/** Global ids and cursors in the format of the gateway. */

export const globalId = (type, key) => Buffer.from(`${type}:${key}`).toString('base64url');

export const keyOf = (id) => Buffer.from(id, 'base64url').toString('utf8').split(':')[1];

export const cursorOf = ({ createdAt, id }) =>
  Buffer.from(`c${createdAt.getTime()}:${id}`).toString('base64url');

const NEWEST = { at: '9999-12-31T00:00:00Z', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };

export function placeOf(cursor) {
  if (!cursor) return NEWEST;
  const [milliseconds, id] = Buffer.from(cursor, 'base64url').toString('utf8').slice(1).split(':');
  return { at: new Date(Number(milliseconds)).toISOString(), id };
}
