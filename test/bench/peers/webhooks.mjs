/**
 * Peer that receives webhooks on node:http. It stores them (`kept`), or stores and applies them (`recorded`),
 * before it responds.
 */

import { serve } from './common/serve.mjs';
import { keep, keepAndRecord, readSigned } from './common/webhook.mjs';

const take = process.env.RECORD ? keepAndRecord : keep;

await serve(async (request, body) => {
  await take(body, readSigned(request, body));
  return { received: true };
});
