import type { Logger } from 'pino';
import type { SessionRow } from '../../db/sessions/sessions.ts';
import { findUsersById } from '../../db/sessions/users.ts';
import type { Viewer } from '../../domain/access.ts';
import { IdentityMismatch, Refusal } from '../../domain/errors.ts';
import { findIdentityMismatch } from '../../domain/identity.ts';
import { invariant } from '../../domain/invariant.ts';
import type { ProviderClient, ProviderSession, SdkToken } from '../../domain/ports.ts';
import type { ProviderClients } from '../../domain/providers.ts';
import type { OnMismatch } from '../../telemetry/mismatches.ts';
import { applyAnswer } from '../transitions/apply-answer.ts';
import {
  type ActionDependencies,
  loadAllowedSession,
  renewLeaseInOwnTransaction,
  renewLeaseOfLockedSession,
  throwIfDenied,
} from './perform-action.ts';
import { toRefusalIfProviderFailure } from './provider-refusal.ts';

export interface ProviderActionDependencies extends ActionDependencies {
  readonly providers: ProviderClients;
  readonly onMismatch: OnMismatch;
  readonly log: Logger;
}

export interface RefreshResult {
  readonly session: SessionRow;
  readonly changed: boolean;
}

/**
 * Asks the provider for a session's current state, and records the answer.
 *
 * @throws Refusal
 */
export async function refreshSession(
  dependencies: ProviderActionDependencies,
  viewer: Viewer,
  sessionId: string,
): Promise<RefreshResult> {
  const session = await loadAllowedSession(dependencies, viewer, 'REFRESH', sessionId);
  const query = {
    provider: session.provider,
    verificationId: session.verificationId,
    at: dependencies.clock.now(),
    webhooks: session.providerWebhooks,
  };
  const payload = await find(dependencies, session);
  const update = { source: 'POLL', actor: null, payload, eventTime: null, query } as const;
  const recorded = await dependencies.unitOfWork
    .recordAnswer(async (writer) => {
      const answer = await applyAnswer(writer, update);
      return (
        answer && {
          ...answer,
          session: renewLeaseOfLockedSession(writer, answer.session, viewer, dependencies),
        }
      );
    })
    .catch((error) => {
      throw toRefusalIfProviderFailure(error);
    });
  invariant(recorded, 'refreshed session is missing');
  return { session: recorded.session, changed: recorded.transition !== null || recorded.missed };
}

/**
 * Returns a link to the video recording of a session's call. The provider stores the recording, and the link
 * expires after a short time.
 *
 * @throws Refusal
 */
export async function requestRecording(
  dependencies: ProviderActionDependencies,
  viewer: Viewer,
  sessionId: string,
) {
  const session = await loadAllowedSession(dependencies, viewer, 'REQUEST_RECORDING', sessionId);
  const answer = await find(dependencies, session);
  await refuseOtherIdentity(dependencies, session, answer);
  const { recordingLink, recordingLinkExpiresAt: expiresAt } = answer;
  if (recordingLink === null)
    throwIfDenied('REQUEST_RECORDING', session, 'The provider has no recording yet.');
  dependencies.log.info(
    { audit: 'recording requested', viewer: viewer.id, sessionId },
    'recording requested',
  );
  return {
    session: await renewLeaseInOwnTransaction(dependencies, viewer, session),
    recording: { url: recordingLink as string, expiresAt },
  };
}

/**
 * Creates a token with which the customer's app opens the provider's SDK without an OTP.
 *
 * @throws Refusal
 */
export async function createSdkToken(
  dependencies: ProviderActionDependencies,
  viewer: Viewer,
  sessionId: string,
): Promise<SdkToken & { session: SessionRow }> {
  const session = await loadAllowedSession(dependencies, viewer, 'CREATE_SDK_TOKEN', sessionId);
  const [user] = await findUsersById(dependencies.db, [session.userId]);
  invariant(
    user && session.referenceId !== null,
    'CREATE_SDK_TOKEN was allowed but user or reference id is missing',
  );
  const { referenceId } = session;
  const token = await call(dependencies, session, (client) =>
    client.createSdkToken(referenceId, user.userId),
  );
  return { ...token, session: await renewLeaseInOwnTransaction(dependencies, viewer, session) };
}

/**
 * Calls the provider at which the session was started, and converts a failed call into a refusal for the viewer.
 *
 * @throws Refusal
 */
async function call<T>(
  { providers }: ProviderActionDependencies,
  { provider }: SessionRow,
  work: (client: ProviderClient) => Promise<T>,
): Promise<T> {
  try {
    return await work(providers.get(provider));
  } catch (error) {
    throw toRefusalIfProviderFailure(error);
  }
}

async function find(dependencies: ProviderActionDependencies, session: SessionRow): Promise<ProviderSession> {
  const payload = await call(dependencies, session, (client) =>
    client.findVerification(session.verificationId),
  );
  if (payload) return payload;
  throw new Refusal('PROVIDER_REFUSED', 'The provider does not know this session.', {
    sessionId: session.id,
  });
}

/**
 * Refuses a provider answer that names another reference id or user than the session has. The transition writer
 * makes this check only for answers that are recorded, and this answer is not recorded.
 */
async function refuseOtherIdentity(
  { db, onMismatch }: ProviderActionDependencies,
  session: SessionRow,
  answer: ProviderSession,
): Promise<void> {
  const [user] = await findUsersById(db, [session.userId]);
  const field = findIdentityMismatch(
    { ...session, userId: user && !user.erasedAt ? user.userId : null },
    answer,
  );
  if (!field) return;
  const { verificationId } = session;
  onMismatch({ source: 'ANSWER', field, verificationId });
  throw toRefusalIfProviderFailure(new IdentityMismatch(field, verificationId));
}
