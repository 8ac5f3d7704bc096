/**
 * A peer (server that the benchmarks compare with the gateway) that receives webhooks on node:http. Before it responds
 * it stores the webhook (contender `kept`), or stores and applies the webhook (contender `recorded`).
 */

import { serve } from './common/serve.mjs';
import { keep, keepAndRecord, readSigned } from './common/webhook.mjs';

const take = process.env.RECORD ? keepAndRecord : keep;

await serve(async (request, body) => {
  await take(body, readSigned(request, body));
  return { received: true };
});
