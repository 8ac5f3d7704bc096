import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { SandboxWebhooks } from '../config.ts';
import type { Clock } from '../domain/ports.ts';
import { documentedEvent } from './scenarios.ts';
import { Verification } from './verification.ts';
import { WebhookSender } from './webhook-sender.ts';

/** What the sandbox takes as client id and client secret. */
export const SANDBOX_CREDENTIALS = { clientId: 'sandbox', clientSecret: 'sandbox' } as const;

interface Options {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly webhooks: SandboxWebhooks;
  /** How fast journeys walk by themselves; `null`: only when told to, over `/_sandbox`. */
  readonly speed: number | null;
}

/** The provider's stand-in: an HTTP server of its own that speaks the provider's wire contract. */
export interface Sandbox {
  /** What `CASHFREE_BASE_URL` would be. */
  readonly baseUrl: string;
  deliverTo(webhookUrl: string): void;
  stop(): Promise<void>;
}

/** An error as the provider words it. */
class ApiError extends Error {
  constructor(
    readonly statusCode: number,
    readonly type: string,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const invalid = (code: string, message: string) => new ApiError(400, 'validation_error', code, message);

const ID = /^[A-Za-z0-9._-]+$/;

interface User {
  user_id: string;
  user_reference_id: number;
  phone: string;
  email?: string | undefined;
  name?: string | undefined;
  address?: string | undefined;
}

const userBody = z.looseObject({
  phone: z.string(),
  user_id: z.string().optional(),
  email: z.string().optional(),
  name: z.string().optional(),
  address: z.string().optional(),
});

const patchBody = z.looseObject({
  user_id: z.string().optional(),
  user_reference_id: z.int().optional(),
  email: z.string().optional(),
  name: z.string().optional(),
  address: z.string().optional(),
});

const vkycBody = z.looseObject({
  verification_id: z.string().optional(),
  user_id: z.string().optional(),
  user_reference_id: z.int().optional(),
  aadhaar_details: z.looseObject({}).optional(),
  security_questions: z.array(z.looseObject({})).optional(),
});

const tokenBody = z.looseObject({
  app_id: z.string(),
  product: z.literal('VKYC'),
  metadata: z.looseObject({ vkyc_request_id: z.union([z.string(), z.int()]) }),
  authenticated_user: z.looseObject({
    identifier_type: z.string(),
    identifier_value: z.union([z.string(), z.int()]),
  }),
});

const FIRST_REFERENCE_ID = 10_000;
const TOKEN_LIFE_MS = 15 * 60_000;

/** Starts the sandbox on a loopback port. */
export async function startSandbox({ host, port, clock, webhooks, speed }: Options): Promise<Sandbox> {
  const users = new Map<string, User>();
  const verifications = new Map<string, Verification>();
  const timers = new Set<NodeJS.Timeout>();
  const sender = new WebhookSender(SANDBOX_CREDENTIALS.clientSecret);
  const app = fastify({ forceCloseConnections: true });

  const report = (verification: Verification) => {
    if (webhooks === 'every-status' || documentedEvent(verification.subStatus))
      sender.send(verification.asWebhook());
  };
  const step = (verification: Verification): boolean => {
    const moved = verification.advance();
    if (moved) report(verification);
    return moved;
  };
  const walk = (verification: Verification) => {
    const seconds = verification.nextInSeconds;
    if (speed === null || seconds === null) return;
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        step(verification);
        walk(verification);
      },
      (seconds * 1000) / speed,
    );
    timers.add(timer);
  };

  answerErrorsAsTheProvider(app);

  await app.register(
    async (api) => {
      api.addHook('onRequest', async (request) => checkCredentials(request));

      api.post('/user', async (request) => {
        const body = parsed(userBody, request.body);
        if (!/^\d{10}$/.test(body.phone)) throw invalid('phone_value_invalid', 'phone must have 10 digits.');
        const userId = body.user_id ?? `auto-${randomBytes(6).toString('hex')}`;
        checkId('user_id', userId);
        if (users.has(userId))
          throw new ApiError(409, 'validation_error', 'user_id_already_exists', 'user id already exists');
        const { phone, email, name, address } = body;
        const user = {
          user_id: userId,
          user_reference_id: FIRST_REFERENCE_ID + users.size,
          phone,
          email,
          name,
          address,
        };
        users.set(userId, user);
        return user;
      });

      api.get('/user', async (request) => findUser(request.query as Record<string, string>));

      api.patch('/user', async (request) => {
        const { user_id, user_reference_id, email, name, address } = parsed(patchBody, request.body);
        const user = findUser({ user_id, user_reference_id: user_reference_id?.toString() });
        return Object.assign(user, JSON.parse(JSON.stringify({ email, name, address })));
      });

      api.post('/vkyc', async (request) => {
        const body = parsed(vkycBody, request.body);
        if (!body.verification_id)
          throw invalid('verification_id_missing', 'verification_id is missing in the request.');
        checkId('verification_id', body.verification_id);
        const user = findUser({
          user_id: body.user_id,
          user_reference_id: body.user_reference_id?.toString(),
        });
        if (verifications.has(body.verification_id)) {
          throw new ApiError(
            409,
            'validation_error',
            'verification_id_already_exists',
            'verification id already exists',
          );
        }
        const { verification_id, aadhaar_details, security_questions } = body;
        const { user_id, user_reference_id } = user;
        const verification = new Verification(
          { verification_id, user_id, user_reference_id, aadhaar_details, security_questions },
          FIRST_REFERENCE_ID + verifications.size,
          clock.now(),
        );
        verifications.set(verification_id, verification);
        report(verification);
        walk(verification);
        return verification.asStarted();
      });

      api.get('/vkyc', async (request) =>
        findVerification(request.query as Record<string, string>).asAnswer(),
      );

      api.post('/oauth/token', async (request) => {
        parsed(tokenBody, request.body);
        const expiry = new Date(clock.now().getTime() + TOKEN_LIFE_MS).toISOString();
        return { access_token: randomBytes(24).toString('base64url'), expiry };
      });
    },
    { prefix: '/verification' },
  );

  app.post<{ Params: { id: string }; Body: { steps?: number } | null }>(
    '/_sandbox/verifications/:id/advance',
    async ({ params, body }) => {
      const verification = findVerification({ verification_id: params.id });
      const wanted = body?.steps ?? 1;
      let steps = 0;
      while (steps < wanted && step(verification)) steps += 1;
      return { steps, sub_status: verification.subStatus };
    },
  );

  function findUser({
    user_id,
    user_reference_id,
  }: {
    user_id?: string | undefined;
    user_reference_id?: string | undefined;
  }): User {
    if (!user_id && !user_reference_id)
      throw invalid('invalid_request', 'Provide user_id or user_reference_id');
    const user = user_id
      ? users.get(user_id)
      : [...users.values()].find((each) => String(each.user_reference_id) === user_reference_id);
    if (!user) throw new ApiError(404, 'not_found_error', 'Resource not found', 'No data found');
    return user;
  }

  function findVerification(query: { verification_id?: string; reference_id?: string }): Verification {
    const { verification_id, reference_id } = query;
    if (!verification_id && !reference_id)
      throw invalid('invalid_request', 'Provide verificationID or referenceID');
    const found = verification_id
      ? verifications.get(verification_id)
      : [...verifications.values()].find((each) => String(each.referenceId) === reference_id);
    if (!found) throw new ApiError(404, 'not_found_error', 'referenceId_not_found', 'No data found');
    return found;
  }

  await app.listen({ host, port });
  const bound = app.server.address() as AddressInfo;
  return {
    baseUrl: `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}/verification`,
    deliverTo: (url) => sender.deliverTo(url),
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      sender.stop();
      await app.close();
    },
  };
}

function checkCredentials({ headers }: FastifyRequest): void {
  const id = headers['x-client-id'];
  const secret = headers['x-client-secret'];
  if (!id) throw invalid('x-client-id_missing', 'x-client-id is missing in the request.');
  if (!secret) throw invalid('x-client-secret_missing', 'x-client-secret is missing in the request.');
  if (id !== SANDBOX_CREDENTIALS.clientId || secret !== SANDBOX_CREDENTIALS.clientSecret) {
    throw new ApiError(
      401,
      'authentication_error',
      'authentication_failed',
      'Invalid clientId and clientSecret combination',
    );
  }
}

function checkId(field: string, value: string): void {
  if (!ID.test(value))
    throw invalid(
      `${field}_value_invalid`,
      `${field} can include only alphanum, dot, hyphen and underscores.`,
    );
  if (value.length > 50)
    throw invalid(`${field}_length_exceeded`, `${field} can include a maximum of 50 characters.`);
}

function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join('.') || 'body';
  throw invalid(`${field}_value_invalid`, `${field}: ${issue?.message}`);
}

function answerErrorsAsTheProvider(app: FastifyInstance): void {
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof ApiError) {
      return reply
        .status(error.statusCode)
        .send({ type: error.type, code: error.code, message: error.message });
    }
    const status = error.statusCode ?? 500;
    return status < 500
      ? reply.status(400).send({ type: 'validation_error', code: 'invalid_request', message: error.message })
      : reply
          .status(500)
          .send({ type: 'internal_error', code: 'api_error', message: 'something went wrong' });
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.status(404).send({ type: 'not_found_error', code: 'Resource not found', message: 'No such path' }),
  );
}
