import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { API_PREFIX } from './api.ts';
import type { Books } from './books.ts';
import { SANDBOX_CREDENTIALS, type SigningSecret } from './credentials.ts';
import { FAULTS, type Faults, faultSettings } from './faults.ts';
import type { Reporter } from './reporter.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { wordsOf } from './step.ts';
import { AGENT_TEMPLATES, DEFAULT_USER_TEMPLATE, USER_TEMPLATES } from './templates.ts';
import { WHAT_MAY_FOLLOW } from './walk.ts';
import type { WebhookSender } from './webhook-sender.ts';

const LOOPBACK_NAMES = ['127.0.0.1', '[::1]', 'localhost'];
const CONTROL_PREFIX = '/_sandbox';

interface Parts {
  readonly books: Books;
  readonly faults: Faults;
  readonly reporter: Reporter;
  readonly sender: WebhookSender;
  readonly secret: SigningSecret;
  /** As the sandbox was started. */
  readonly settings: object;
}

/** What each path of the control is for; `GET /_sandbox` says so. */
const PATHS = {
  'GET /_sandbox': 'This overview.',
  'GET /_sandbox/verifications': 'Where every verification is, and the steps to come.',
  'GET /_sandbox/verifications/:id': 'One of them.',
  'POST /_sandbox/verifications/:id/advance': 'Goes on by {"steps": 3} at once; by one without a body.',
  'GET /_sandbox/events': 'Every webhook in the order made; ?verification_id= for those of one verification.',
  'POST /_sandbox/webhook-url': 'Webhooks go to {"url": "http://127.0.0.1:4000/webhooks/cashfree"}.',
  'POST /_sandbox/rotate-secret': 'The other client secret signs webhooks from now on.',
  'GET /_sandbox/faults': 'The faults that are set.',
  'PUT /_sandbox/faults':
    'Sets faults: {"drop": {"probability": 0.3}, "error-500": {"times": 2, "path": "POST /vkyc"}}.',
  'DELETE /_sandbox/faults': 'Clears all of them.',
} as const;

const advanceBody = z.strictObject({ steps: z.int().min(1).max(1000).default(1) });
const addressBody = z.strictObject({ url: z.url({ protocol: /^https?$/ }) });

/** The paths by which people and tests lead the sandbox; only this machine may use them. */
export async function serveControl(app: FastifyInstance, parts: Parts): Promise<void> {
  const { books, faults, reporter, sender, secret, settings } = parts;

  const routes = async (control: FastifyInstance) => {
    control.addHook('onRequest', async ({ headers }, reply) => {
      if (!isOfThisMachine(headers)) return reply.status(403).send({ message: 'For this machine only.' });
      books.catchUp();
    });

    control.get('/', async () => ({ ...overview(), settings, webhook_url: sender.address }));

    control.get('/verifications', async () => books.verifications().map((each) => each.asOverview()));

    control.get<{ Params: { id: string } }>('/verifications/:id', async ({ params }) =>
      books.findVerification({ verification_id: params.id }).asOverview(),
    );

    control.post<{ Params: { id: string } }>(
      '/verifications/:id/advance',
      async ({ params, body }, reply) => {
        const wanted = advanceBody.safeParse(body ?? {});
        if (!wanted.success) return reply.status(400).send({ message: z.prettifyError(wanted.error) });
        const verification = books.findVerification({ verification_id: params.id });
        const steps = books.advance(verification, wanted.data.steps);
        return { steps, sub_status: verification.subStatus };
      },
    );

    control.get<{ Querystring: { verification_id?: string } }>('/events', async ({ query }) =>
      reporter.events(query.verification_id),
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
      const wanted = faultSettings.safeParse(body);
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

/** Made to, and from a page of, this machine: neither by a rebound name nor across sites. */
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
  about: 'A stand-in for the Video KYC provider. No customer, agent or auditor is real.',
  api: API_PREFIX,
  credentials: {
    'x-client-id': SANDBOX_CREDENTIALS.clientId,
    'x-client-secret': SANDBOX_CREDENTIALS.clientSecrets,
  },
  scenarios: {
    how: 'Put a name into the verification id as a word of its own, between dots or underscores: loan-1.happy-path',
    names: Object.fromEntries(
      Object.entries(SCENARIOS).map(([name, scenario]) => [
        name,
        { description: scenario.description, reaches: pairsOf(scenario) },
      ]),
    ),
  },
  faults: {
    how: 'PUT /_sandbox/faults for everybody, or a word in the verification id for one: loan-1.happy-path.with-drop',
    names: FAULTS,
  },
  templates: { user: USER_TEMPLATES, user_default: DEFAULT_USER_TEMPLATE, agent: AGENT_TEMPLATES },
  paths: PATHS,
});

/** Every state that a scenario may come to. */
function pairsOf(scenario: Scenario): string[] {
  if ('refusal' in scenario) return [];
  const names =
    'steps' in scenario
      ? scenario.steps.map((step) => step.subStatus)
      : Object.entries(WHAT_MAY_FOLLOW).flatMap(([from, to]) => [from, ...Object.keys(to)]);
  const pairs = names.map((name) => wordsOf(name as Parameters<typeof wordsOf>[0]));
  return [...new Set(pairs.map(({ status, subStatus }) => `${status}/${subStatus}`))];
}
