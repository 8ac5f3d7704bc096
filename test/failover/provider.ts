/** Fake provider that keeps users and verifications, so that polls after a failover get the current status. */
import { toStatusPair } from '../../src/domain/status.ts';
import { PROVIDER_ERRORS } from '../../src/sandbox/errors.ts';
import { CUSTOMER } from '../harness/news.ts';
import { type ScriptedAnswer, type ScriptedProvider, startScriptedProvider } from '../harness/provider.ts';

type KnownSubStatus = Parameters<typeof toStatusPair>[0];

interface Verification {
  readonly body: { readonly verification_id: string; readonly user_id: string };
  subStatus: KnownSubStatus;
  /** Time of the newest step by the provider's clock, in milliseconds since the epoch; a whole second. */
  eventTime: number;
}

export interface RememberingProvider extends ScriptedProvider {
  /** Changes the sub-status of a session at the provider; returns the webhook that reports the change. */
  report(verificationId: string, to: KnownSubStatus): string;
  /** Returns a session's sub-status at the provider. */
  subStatusOf(verificationId: string): KnownSubStatus;
}

const found = (body: object): ScriptedAnswer => ({ body: JSON.stringify(body) });
const refused = ({
  status,
  ...body
}: (typeof PROVIDER_ERRORS)[keyof typeof PROVIDER_ERRORS]): ScriptedAnswer => ({
  status,
  body: JSON.stringify(body),
});

/** Starts the provider; it is stopped when the test ends. */
export async function startRememberingProvider(): Promise<RememberingProvider> {
  const users = new Map<string, object>([[CUSTOMER.user_id, CUSTOMER]]);
  const verifications = new Map<string, Verification>();
  const read = (verificationId: string): Verification => {
    const verification = verifications.get(verificationId);
    if (!verification) throw new Error(`Verification ${verificationId} was not started at the provider`);
    return verification;
  };
  const show = ({ body, subStatus }: Verification) => {
    const pair = toStatusPair(subStatus);
    return { ...body, status: pair.status, sub_status: pair.subStatus };
  };

  const provider = await startScriptedProvider(({ method, path, body }) => {
    const query = new URLSearchParams(path.split('?')[1]);
    const given = body ? JSON.parse(body) : {};
    if (path.startsWith('/user')) {
      const userId = method === 'GET' ? (query.get('user_id') ?? '') : given.user_id;
      const known = users.get(userId);
      if (method === 'GET') return known ? found(known) : refused(PROVIDER_ERRORS.userUnknown);
      if (method === 'POST' && known) return refused(PROVIDER_ERRORS.userIdTaken);
      users.set(userId, { ...known, ...given });
      return found(given);
    }
    if (method === 'GET') {
      const known = verifications.get(query.get('verification_id') ?? '');
      return known ? found(show(known)) : refused(PROVIDER_ERRORS.verificationUnknown);
    }
    const { verification_id: verificationId, user_id } = given;
    if (verifications.has(verificationId)) return refused(PROVIDER_ERRORS.verificationIdTaken);
    const begun: Verification = {
      body: { verification_id: verificationId, user_id },
      subStatus: 'LINK_GENERATED',
      eventTime: 0,
    };
    verifications.set(verificationId, begun);
    return found(show(begun));
  });

  return {
    ...provider,
    report(verificationId, to) {
      const verification = read(verificationId);
      const now = Math.floor(Date.now() / 1000) * 1000;
      verification.subStatus = to;
      verification.eventTime = Math.max(verification.eventTime + 1000, now);
      return JSON.stringify({
        event_type: 'VKYC_STATUS',
        event_time: new Date(verification.eventTime).toISOString(),
        version: 'v1',
        data: show(verification),
      });
    },
    subStatusOf: (verificationId) => read(verificationId).subStatus,
  };
}
