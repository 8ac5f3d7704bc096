import { z } from 'zod';
import { MERCHANT_DELIVERY_STATES } from '../../db/schema/tables.ts';
import { getRecordedName, type Viewer } from '../../domain/access.ts';
import { Refusal } from '../../domain/errors.ts';
import { parseOrRefuse, toInputRefusal } from '../sessions/validation.ts';
import type { EndpointSources } from './list-endpoints.ts';
import {
  MAX_REPLAYED_IN_STATE,
  type ReplayDependencies,
  type ReplayRequest,
  replayWebhookDeliveries,
} from './replay-deliveries.ts';

/** Maximum numbers of one call of `replayWebhooks`. */
export const REPLAY_LIMITS = { deliveryIds: 1_000, transitions: 10_000 } as const;

export interface ReplayWebhooksDependencies extends ReplayDependencies, EndpointSources {}

/** Number of deliveries that were queued, and whether more may match than one call queues. */
export interface ReplayWebhooksResult {
  readonly queued: number;
  readonly mayHaveMore: boolean;
}

const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? null);

const input = z
  .object({
    deliveryIds: optional(
      z
        .array(z.string().regex(/^\d{1,18}$/, 'must be the id of a WebhookDelivery'))
        .min(1, 'must have at least one id')
        .max(REPLAY_LIMITS.deliveryIds, `must have at most ${REPLAY_LIMITS.deliveryIds} ids`),
    ),
    endpoint: optional(z.string()),
    state: optional(z.enum(MERCHANT_DELIVERY_STATES)),
    since: optional(z.date()),
  })
  .superRefine(({ deliveryIds, endpoint, state, since }, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (deliveryIds) {
      if (endpoint !== null) refuse('endpoint', 'must be left out with deliveryIds');
      if (state) refuse('state', 'must be left out with deliveryIds');
      if (since) refuse('since', 'must be left out with deliveryIds');
    } else if (endpoint === null) refuse('endpoint', 'must be given, unless deliveryIds is');
    else if (state && since) refuse('since', 'must be left out with state');
    else if (!state && !since) refuse('state', 'must be given, or since');
  });

/**
 * Queues deliveries of merchant webhooks again, for an administrator.
 * @throws Refusal if the input is invalid, no endpoint has the name, or nothing matches
 */
export async function replayWebhooks(
  dependencies: ReplayWebhooksDependencies,
  viewer: Viewer,
  raw: unknown,
): Promise<ReplayWebhooksResult> {
  const request = await toRequest(dependencies, parseOrRefuse(input, raw));
  const caller = { name: getRecordedName(viewer), operation: 'Mutation.replayWebhooks' };
  const queued = await replayWebhookDeliveries(dependencies, caller, request);
  if (queued === 0)
    throw new Refusal(
      'NOT_FOUND',
      'Nothing is queued again: no delivery matches, or the deliveries are being sent now.',
    );
  return { queued, mayHaveMore: request.by === 'STATE' && queued === MAX_REPLAYED_IN_STATE };
}

async function toRequest(
  { endpoints, readHealth, clock }: ReplayWebhooksDependencies,
  { deliveryIds, endpoint, state, since }: z.infer<typeof input>,
): Promise<ReplayRequest> {
  const stored = await readHealth();
  if (endpoints.length === 0 && stored.length === 0)
    throw new Refusal('NOT_FOUND', 'No endpoint is configured: WEBHOOK_ENDPOINTS is empty.');
  if (deliveryIds) return { by: 'IDS', ids: [...new Set(deliveryIds)].map(BigInt) };
  const configured = endpoints.find(({ name }) => name === endpoint);
  if (!configured)
    throw new Refusal(
      'NOT_FOUND',
      `No endpoint of WEBHOOK_ENDPOINTS has this name. There is: ${endpoints.map(({ name }) => name).join(', ') || 'none'}.`,
    );
  if (state) return { by: 'STATE', endpoint: configured.name, state };
  if (!since || since > clock.now())
    throw toInputRefusal([{ path: ['since'], message: 'must be in the past' }]);
  return { by: 'SINCE', endpoint: configured, since, maxTransitions: REPLAY_LIMITS.transitions };
}
