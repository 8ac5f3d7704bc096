/** What a token's viewer may see, and what is recorded of that. */
import { SEES_PERSONAL_DATA } from '../../../../.build/domain/access.js';
import { pool, sealer } from './setting.mjs';
import { insertRead } from './statements.mjs';
import { claimsOf } from './token.mjs';

/** Rejects where the header holds no good token. */
export async function viewerOf(authorization) {
  const payload = await claimsOf(authorization);
  return {
    id: payload.sub,
    operation: null,
    seesPersonalData: payload.roles.some((role) => SEES_PERSONAL_DATA.includes(role)),
    fields: new Set(),
    subjects: new Set(),
  };
}

/** Opened once a row, however many of its fields are shown. */
function personalOf(user) {
  user.opened ??= JSON.parse(sealer.open(user.personal, `vkyc_user:${user.id}`).toString('utf8'));
  return user.opened;
}

/** A field of a user as this viewer is shown it. */
export function personal(viewer, user, field) {
  const value = personalOf(user)[field];
  if (viewer.seesPersonalData) {
    viewer.fields.add(`VkycUser.${field}`);
    viewer.subjects.add(`vkyc_user:${user.id}`);
    return value;
  }
  return field === 'phone' ? value.slice(-4).padStart(value.length, '•') : null;
}

/** Before an answer is sent: what it shows of people is on record. */
export async function recordRead(viewer) {
  if (viewer.fields.size === 0) return;
  await pool.query(
    insertRead([new Date(), viewer.id, [viewer.operation], [...viewer.fields], [...viewer.subjects]]),
  );
}
