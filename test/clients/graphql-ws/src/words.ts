/**
 * Texts that the program shows for refusals of the gateway and for parties (who has to act next). The compiler reports
 * a value without a text. Values that only a later release of the gateway sends are shown unchanged.
 */
import type {
  Party,
  VkycSessionQuery,
  VkycStartSessionMutation,
  VkycWatchSessionSubscription,
} from './generated/graphql.ts';

type Later = { message?: string };

export function started(result: VkycStartSessionMutation['startSession']): string {
  switch (result.__typename) {
    case 'StartSessionSuccess':
      return `started ${result.session.verificationId}`;
    case 'InvalidInputError':
      return result.problems.map(({ path, message }) => `correct ${path.join('.')}: ${message}`).join('\n');
    case 'ConflictError':
      return `choose another: ${result.message}`;
    case 'ProviderError':
      return `${result.code}: ${result.message}`;
    default:
      return `refused: ${(result satisfies never as Later).message}`;
  }
}

export function waitsFor(party: Party): string {
  switch (party) {
    case 'CUSTOMER':
    case 'AGENT':
    case 'AUDITOR':
      return `the ${party.toLowerCase()}`;
    case 'MERCHANT':
      return 'us';
    case 'PROVIDER':
      return 'the provider';
    case 'NOBODY':
      return 'nobody';
    default:
      return party satisfies never;
  }
}

/** Returns a line about a session: its customer, status, and the party that has to act next. */
export function line({ statusInfo, user }: NonNullable<VkycSessionQuery['session']>): string {
  const { status, subStatus, waitingOn } = statusInfo;
  return `${user.name}: ${status}/${subStatus}, waits for ${waitsFor(waitingOn)}`;
}

/**
 * Returns a line about a frame of the subscription; null for a frame that is not shown, such as a heartbeat.
 */
export function moved(frame: VkycWatchSessionSubscription['sessionLive']): string | null {
  switch (frame.__typename) {
    case 'StatusTransition': {
      const { status, subStatus, waitingOn } = frame.statusInfo;
      return `${frame.sequence} ${status}/${subStatus}, waits for ${waitsFor(waitingOn)}`;
    }
    case 'SessionSnapshot':
      return frame.resync ? 'show the session again' : null;
    case 'DeadlinePassed':
    case 'Heartbeat':
      return null;
    default:
      frame satisfies never;
      return null;
  }
}
