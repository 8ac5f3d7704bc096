/**
 * Texts that the program shows for refusals of the gateway and for parties (who has to act next). The compiler reports
 * a value without a text. Values that only a later release of the gateway sends are shown unchanged.
 */
import { readInlineData } from 'relay-runtime';
import type { operations_person$key } from './__generated__/operations_person.graphql';
import type { operations_refusal$key } from './__generated__/operations_refusal.graphql';
import type { operations_started$key } from './__generated__/operations_started.graphql';
import type { operations_state$key, Party } from './__generated__/operations_state.graphql';
import type { operationsWatchSubscription$data } from './__generated__/operationsWatchSubscription.graphql';
import { PERSON, REFUSAL, STARTED, STATE } from './operations';

/** Returns the text of a refusal, even of a refusal type that only a later release of the gateway sends. */
export const refusal = (refusal: operations_refusal$key | null | undefined): string =>
  `refused: ${readInlineData(REFUSAL, refusal)?.message}`;

type Started = operations_started$key & { readonly refusal: operations_refusal$key | null | undefined };

export function started(key: Started): string {
  const result = readInlineData<operations_started$key>(STARTED, key);
  switch (result.__typename) {
    case 'StartSessionSuccess':
      return `started ${result.session.verificationId}`;
    case 'InvalidInputError':
      return result.problems.map(({ path, message }) => `correct ${path.join('.')}: ${message}`).join('\n');
    case 'ConflictError':
      return `choose another: ${result.message}`;
    case 'ProviderError':
      return `${result.code}: ${result.message}`;
    case '%other':
      return refusal(key.refusal);
    default:
      result satisfies never;
      return refusal(key.refusal);
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
    case '%future added value':
      return party;
    default:
      return party satisfies never;
  }
}

/** Returns a line about a session: its customer, status, and the party that has to act next. */
export function line(session: operations_state$key & operations_person$key): string {
  const { status, subStatus, statusInfo } = readInlineData<operations_state$key>(STATE, session);
  const { user } = readInlineData<operations_person$key>(PERSON, session);
  return `${user.name}: ${status}/${subStatus}, waits for ${waitsFor(statusInfo.waitingOn)}`;
}

/**
 * Returns a line about a frame of the subscription; null for a frame that is not shown, such as a heartbeat.
 */
export function moved(frame: operationsWatchSubscription$data['sessionLive']): string | null {
  switch (frame.__typename) {
    case 'StatusTransition': {
      const { sequence, status, subStatus, statusInfo } = frame;
      return `${sequence} ${status}/${subStatus}, waits for ${waitsFor(statusInfo.waitingOn)}`;
    }
    case 'SessionSnapshot':
      return frame.resync ? 'show the session again' : null;
    case 'Heartbeat':
    case '%other':
      return null;
    default:
      frame satisfies never;
      return null;
  }
}
