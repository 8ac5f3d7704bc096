import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { PROVIDER_API_PREFIX } from './api.ts';
import { SANDBOX_CREDENTIALS, type WebhookSigningSecret } from './credentials.ts';
import { FAULTS, type FaultSelector, faultSettingsSchema } from './faults.ts';
import { TRANSITION_WEIGHTS } from './random-journey.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { toRawStatus } from './step.ts';
import type { SandboxStore } from './store.ts';
import { AGENT_TEMPLATES, DEFAULT_USER_TEMPLATE, USER_TEMPLATES } from './templates.ts';
import type { WebhookScheduler } from './webhook-scheduler.ts';
import type { WebhookSender } from './webhook-sender.ts';

const LOOPBACK_NAMES = ['127.0.0.1', '[::1]', 'localhost'];
const CONTROL_PREFIX = '/_sandbox';

interface Dependencies {
  readonly store: SandboxStore;
  readonly faults: FaultSelector;
  readonly webhooks: WebhookScheduler;
  readonly sender: WebhookSender;
  readonly secret: WebhookSigningSecret;
  /** Settings with which the sandbox was started, shown by `GET /_sandbox`. */
  readonly settings: object;
}

/** Purpose of each control path, as shown by `GET /_sandbox`. */
const PATHS = {
  'GET /_sandbox': 'This overview.',
  'GET /_sandbox/verifications': 'Lists every verification with its current and next steps.',
  'GET /_sandbox/verifications/:id': 'One verification.',
  'POST /_sandbox/verifications/:id/advance':
    'Performs the next steps of a verification immediately, as many as {"steps": 3} says; without a body, one step.',
  'GET /_sandbox/events':
    'Lists every webhook in the order of creation; ?verification_id= selects one verification.',
  'POST /_sandbox/webhook-url':
    'Sets where webhooks are sent: {"url": "http://127.0.0.1:4000/webhooks/cashfree"}.',
  'POST /_sandbox/rotate-secret': 'Signs webhooks with the other client secret from now on.',
  'GET /_sandbox/faults': 'Lists the active faults.',
  'PUT /_sandbox/faults':
    'Sets faults: {"drop": {"probability": 0.3}, "error-500": {"times": 2, "path": "POST /vkyc"}}.',
  'DELETE /_sandbox/faults': 'Clears all faults.',
} as const;

const advanceBody = z.strictObject({ steps: z.int().min(1).max(1000).default(1) });
const addressBody = z.strictObject({ url: z.url({ protocol: /^https?$/ }) });

/**
 * Serves the paths under `/_sandbox` with which people and tests control the sandbox. The paths are reachable
 * only from this machine.
 */
export async function serveControl(app: FastifyInstance, dependencies: Dependencies): Promise<void> {
  const { store, faults, webhooks, sender, secret, settings } = dependencies;

  const routes = async (control: FastifyInstance) => {
    control.addHook('onRequest', async ({ headers }, reply) => {
      if (!isOfThisMachine(headers))
        return reply.status(403).send({
          message: 'The sandbox control is reachable only from this machine: use a loopback address.',
        });
      store.advanceDue();
    });

    control.get('/', async () => ({ ...overview(), settings, webhook_url: sender.address }));

    control.get('/verifications', async () => store.verifications().map((each) => each.asOverview()));

    control.get<{ Params: { id: string } }>('/verifications/:id', async ({ params }) =>
      store.findVerification({ verification_id: params.id }).asOverview(),
    );

    control.post<{ Params: { id: string } }>(
      '/verifications/:id/advance',
      async ({ params, body }, reply) => {
        const wanted = advanceBody.safeParse(body ?? {});
        if (!wanted.success) return reply.status(400).send({ message: z.prettifyError(wanted.error) });
        const verification = store.findVerification({ verification_id: params.id });
        const steps = store.advance(verification, wanted.data.steps);
        return { steps, sub_status: verification.subStatus };
      },
    );

    control.get<{ Querystring: { verification_id?: string } }>('/events', async ({ query }) =>
      webhooks.events(query.verification_id),
    );

    control.post('/webhook-url', async ({ body }, reply) => {
      const wanted = addressBody.safeParse(body);
      if (!wanted.success) return reply.status(400).send({ message: z.prettifyError(wanted.error) });
      sender.deliverTo(wanted.data.url);
      return { webhook_url: sender.address };
    });

    control.post('/rotate-secret', async () => {
      secret.rotate();
      return { client_secret: secret.current };
    });

    control.get('/faults', async () => faults.settings());

    control.put('/faults', async ({ body }, reply) => {
      const wanted = faultSettingsSchema.safeParse(body);
      if (!wanted.success) return reply.status(400).send({ message: z.prettifyError(wanted.error) });
      faults.set(wanted.data);
      return faults.settings();
    });

    control.delete('/faults', async () => {
      faults.clear();
      return faults.settings();
    });
  };

  await app.register(routes, { prefix: CONTROL_PREFIX });
}

/**
 * Returns whether the request was made on this machine. The Host of such a request is a loopback name, which
 * prevents DNS rebinding. If the request has an Origin, the Origin is a loopback address, too, which prevents
 * CSRF.
 */
function isOfThisMachine({
  host,
  origin,
}: {
  host?: string | undefined;
  origin?: string | undefined;
}): boolean {
  const isLoopback = (url: string) => URL.canParse(url) && LOOPBACK_NAMES.includes(new URL(url).hostname);
  return isLoopback(`http://${host ?? ''}`) && (origin === undefined || isLoopback(origin));
}

const overview = () => ({
  about: 'A simulated Video KYC provider. No customer, agent or auditor is real.',
  api: PROVIDER_API_PREFIX,
  credentials: {
    'x-client-id': SANDBOX_CREDENTIALS.clientId,
    'x-client-secret': SANDBOX_CREDENTIALS.clientSecrets,
  },
  scenarios: {
    how: 'Put a name into the verification id as a separate word, between dots or underscores: loan-1.happy-path',
    names: Object.fromEntries(
      Object.entries(SCENARIOS).map(([name, scenario]) => [
        name,
        { description: scenario.description, reaches: pairsOf(scenario) },
      ]),
    ),
  },
  faults: {
    how: 'PUT /_sandbox/faults for all verifications, or a word in the id for one: loan-1.happy-path.with-drop',
    names: FAULTS,
  },
  templates: {
    user: USER_TEMPLATES,
    user_default: DEFAULT_USER_TEMPLATE,
    agent: AGENT_TEMPLATES,
  },
  paths: PATHS,
});

/** Returns the status pairs that a scenario may reach. */
function pairsOf(scenario: Scenario): string[] {
  if ('refusal' in scenario) return [];
  const names =
    'steps' in scenario
      ? scenario.steps.map((step) => step.subStatus)
      : Object.entries(TRANSITION_WEIGHTS).flatMap(([from, to]) => [from, ...Object.keys(to)]);
  const pairs = names.map((name) => toRawStatus(name as Parameters<typeof toRawStatus>[0]));
  return [...new Set(pairs.map(({ status, subStatus }) => `${status}/${subStatus}`))];
}
