import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../domain/ports.ts';
import { injectApiFaults } from './api-faults.ts';
import { checkCredentials } from './credentials.ts';
import { createApiError } from './errors.ts';
import type { FaultSelector } from './faults.ts';
import { limitCalls } from './rate-limit.ts';
import {
  checkIdFormat,
  createUserRequestSchema,
  parseBody,
  sdkTokenRequestSchema,
  startVerificationRequestSchema,
  updateUserRequestSchema,
} from './requests.ts';
import { parseScenarioNameFromId, SCENARIOS, type Scenario } from './scenarios.ts';
import type { SandboxStore, UserKey, VerificationKey } from './store.ts';
import { type AdditionalTemplates, areTemplatesKnown, DEFAULT_USER_TEMPLATE } from './templates.ts';
import type { SandboxUser } from './user.ts';

/** Path under which the sandbox serves the provider's API, as in the provider's base URL. */
export const PROVIDER_API_PREFIX = '/verification';

const TOKEN_LIFE_MS = 15 * 60_000;

interface Dependencies {
  readonly store: SandboxStore;
  readonly faults: FaultSelector;
  readonly clock: Clock;
  readonly callsPerMinute: number | null;
  readonly templates: AdditionalTemplates;
}

/** Serves the six calls of the provider's API according to the provider's documentation. */
export async function serveProviderApi(app: FastifyInstance, dependencies: Dependencies): Promise<void> {
  const { store, faults, clock, callsPerMinute, templates } = dependencies;

  const routes = async (api: FastifyInstance) => {
    limitCalls(api, callsPerMinute, clock);
    api.addHook('onRequest', async (request) => {
      checkCredentials(request);
      store.advanceDue();
    });
    injectApiFaults(api, faults, PROVIDER_API_PREFIX);

    api.post('/user', async (request) => {
      const { user_id, phone, ...person } = parseBody(createUserRequestSchema, request.body);
      if (user_id) checkIdFormat('user_id', user_id);
      return store.createUser({ ...toUserDetails(person), phone, ...(user_id ? { user_id } : {}) });
    });

    api.get('/user', async (request) => store.findUser(request.query as UserKey));

    api.patch('/user', async (request) => {
      const { user_id, user_reference_id, phone, ...person } = parseBody(
        updateUserRequestSchema,
        request.body,
      );
      const user = store.findUser({ user_id, user_reference_id });
      if (phone != null && phone !== user.phone) throw createApiError('phoneImmutable');
      return store.updateUser(user, toUserDetails(person));
    });

    api.post('/vkyc', async (request) => {
      const body = parseBody(startVerificationRequestSchema, request.body);
      const { verification_id, user_template, agent_template } = body;
      checkIdFormat('verification_id', verification_id);
      if (!areTemplatesKnown(templates, user_template, agent_template))
        throw createApiError('templateUnknown');
      const template = user_template ?? DEFAULT_USER_TEMPLATE;
      const { user_id, user_reference_id } = store.findUser(body);
      if (store.has(verification_id)) throw createApiError('verificationIdTaken');
      const scenario: Scenario = SCENARIOS[parseScenarioNameFromId(verification_id)];
      if ('refusal' in scenario) throw createApiError(scenario.refusal);
      const aadhaar_sent = Boolean(body.aadhaar_details);
      const started = store.start({ verification_id, user_id, user_reference_id, template, aadhaar_sent });
      const { aadhaar_details, security_questions } = body;
      return {
        ...started.asStarted(),
        ...(aadhaar_details ? { aadhaar_details } : {}),
        ...(security_questions ? { security_questions } : {}),
      };
    });

    api.get('/vkyc', async (request) => store.findVerification(request.query as VerificationKey).asAnswer());

    api.post('/oauth/token', async (request) => {
      parseBody(sdkTokenRequestSchema, request.body);
      const expiry = new Date(clock.now().getTime() + TOKEN_LIFE_MS).toISOString();
      return { access_token: randomBytes(24).toString('base64url'), expiry };
    });
  };

  await app.register(routes, { prefix: PROVIDER_API_PREFIX });
}

/**
 * Returns the fields of a user that a request can change. Fields that the request leaves out are missing in
 * the result.
 */
function toUserDetails({ email, name, address }: Record<string, unknown>): Partial<SandboxUser> {
  return Object.fromEntries(Object.entries({ email, name, address }).filter(([, value]) => value != null));
}
