import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import helmet from 'helmet';
import type { SandboxWebhookMode } from '../config.ts';
import type { Clock } from '../domain/ports.ts';
import { PROVIDER_API_PREFIX, serveProviderApi } from './api.ts';
import { serveControl } from './control.ts';
import { WebhookSigningSecret } from './credentials.ts';
import { answerErrorsAsTheProvider } from './errors.ts';
import { FaultSelector } from './faults.ts';
import { openJournal } from './journal.ts';
import { SandboxStore } from './store.ts';
import type { AdditionalTemplates } from './templates.ts';
import { WebhookScheduler } from './webhook-scheduler.ts';
import { WebhookSender } from './webhook-sender.ts';

/**
 * Content-Security-Policy of an API: a browser that shows an answer loads nothing, and no page can frame the
 * answer.
 */
const NO_PAGE = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] };

export { SANDBOX_CREDENTIALS, SANDBOX_CREDENTIALS_TEXT } from './credentials.ts';

interface Options {
  /** Loopback address to listen on. */
  readonly host: string;
  /** Port to listen on; 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly webhooks: SandboxWebhookMode;
  /** Speed of journeys relative to real time. If null, journeys advance only by calls of `/_sandbox`. */
  readonly speed: number | null;
  /** Seed of all random decisions. The same seed gives the same data. */
  readonly seed?: string;
  /** File that keeps the state over restarts; null keeps no state. */
  readonly journalFile?: string | null;
  /** Rate limit of each operation, in calls per minute; null means no limit. */
  readonly callsPerMinute?: number | null;
  /** Templates of the settings, which the account has besides the sandbox's own. */
  readonly templates?: AdditionalTemplates;
}

/** Running sandbox: an HTTP server with the provider's API, which also sends the provider's webhooks. */
export interface RunningSandbox {
  /** Value for `CASHFREE_BASE_URL`. */
  readonly baseUrl: string;
  /** Sets the URL to which webhooks are sent, including webhooks that were created while no URL was set. */
  deliverTo(webhookUrl: string): void;
  stop(): Promise<void>;
}

/** Starts the sandbox. Verifications in its journal continue as if the sandbox had never stopped. */
export async function startSandbox({
  host,
  port,
  clock,
  webhooks,
  speed,
  seed = 'sandbox',
  journalFile = null,
  callsPerMinute = null,
  templates = { user: null, agent: null },
}: Options): Promise<RunningSandbox> {
  const journal = openJournal(journalFile);
  const secret = new WebhookSigningSecret();
  const sender = new WebhookSender(secret);
  const faults = new FaultSelector(seed);
  const webhookScheduler = new WebhookScheduler({
    webhooks,
    seed,
    speed,
    faults,
    sender,
    onSettled: (verificationId, position) => store.markDelivered(verificationId, position),
  });
  const settled = new Set(
    journal.entries.flatMap((entry) =>
      entry.kind === 'SETTLED' ? [`${entry.verification_id} ${entry.position}`] : [],
    ),
  );
  const store = new SandboxStore({
    clock,
    journal,
    seed,
    speed,
    onStep(verification) {
      if (!settled.has(`${verification.id} ${verification.position}`)) webhookScheduler.report(verification);
    },
  });

  const app = fastify({ forceCloseConnections: true });
  const protect = helmet({ contentSecurityPolicy: { useDefaults: false, directives: NO_PAGE } });
  app.addHook('onRequest', (request, reply, goOn) => protect(request.raw, reply.raw, () => goOn()));
  answerErrorsAsTheProvider(app);
  await serveProviderApi(app, { store, faults, clock, callsPerMinute, templates });
  const settings = { webhooks, speed, seed, calls_per_minute: callsPerMinute, journal: journalFile };
  await serveControl(app, { store, faults, webhooks: webhookScheduler, sender, secret, settings });
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= app.close().then(() => {
      store.stop();
      webhookScheduler.stop();
      sender.stop();
      journal.close();
    });
    return stopping;
  };

  try {
    store.replay();
    await app.listen({ host, port });
  } catch (error) {
    await stop();
    throw error;
  }
  const bound = app.server.address() as AddressInfo;
  const address = `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}`;
  return { baseUrl: `${address}${PROVIDER_API_PREFIX}`, deliverTo: (url) => sender.deliverTo(url), stop };
}
