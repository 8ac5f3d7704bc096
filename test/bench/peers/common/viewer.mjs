/**
 * Personal data in the responses of peers (servers that the benchmarks compare with the gateway): decides which data a
 * viewer may see, and records which data a viewer was shown.
 */
import { PERSONAL_DATA_ROLES } from '../../../../.build/domain/access.js';
import { pool, sealer } from './setting.mjs';
import { insertRead } from './statements.mjs';
import { claimsOf } from './token.mjs';

/** Returns the viewer whom the token names; rejects if the token is not valid. */
export async function viewerOf(authorization) {
  const payload = await claimsOf(authorization);
  return {
    id: payload.sub,
    operation: null,
    seesPersonalData: payload.roles.some((role) => PERSONAL_DATA_ROLES.includes(role)),
    fields: new Set(),
    subjects: new Set(),
  };
}

/** Returns the decrypted data of a user's row, which is decrypted once even if several fields are selected. */
function personalOf(user) {
  user.opened ??= JSON.parse(sealer.open(user.personal, `vkyc_user:${user.id}`).toString('utf8'));
  return user.opened;
}

/** Returns a field of a user: in full if the viewer may see the field, otherwise masked (phone) or null. */
export function personal(viewer, user, field) {
  const value = personalOf(user)[field];
  if (viewer.seesPersonalData) {
    viewer.fields.add(`VkycUser.${field}`);
    viewer.subjects.add(`vkyc_user:${user.id}`);
    return value;
  }
  return field === 'phone' ? value.slice(-4).padStart(value.length, '•') : null;
}

/** Records which personal data a response shows; it must be called before the response is sent. */
export async function recordRead(viewer) {
  if (viewer.fields.size === 0) return;
  await pool.query(
    insertRead([new Date(), viewer.id, [viewer.operation], [...viewer.fields], [...viewer.subjects]]),
  );
}
