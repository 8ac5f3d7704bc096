import { z } from 'zod';
import { splitVerificationId } from './scenarios.ts';
import { createSeededRandom } from './seeded-random.ts';

interface FaultKind {
  /** Whether the fault affects webhooks that the sandbox sends, or API calls that it answers. */
  readonly side: 'webhook' | 'api';
  readonly description: string;
}

/** All faults that can be injected between the provider and its clients. */
export const FAULTS = {
  duplicate: { side: 'webhook', description: 'A webhook is sent again, once to three times.' },
  reorder: { side: 'webhook', description: 'A webhook arrives after the next one of its verification.' },
  delay: { side: 'webhook', description: 'A webhook is held back for 1 to 5 s; others overtake it.' },
  drop: { side: 'webhook', description: 'A webhook is never sent.' },
  'bad-signature': { side: 'webhook', description: 'A webhook is signed with an unknown secret.' },
  'malformed-json': { side: 'webhook', description: 'A webhook has a valid signature and malformed JSON.' },
  'unknown-status': { side: 'webhook', description: 'A webhook reports an undocumented state.' },
  'rate-limited': { side: 'api', description: 'A call is answered 429, with Retry-After.' },
  'error-500': { side: 'api', description: 'A call is answered 500, and has no effect.' },
  'error-502': { side: 'api', description: 'A call is answered 502, and has no effect.' },
  'error-504-before': { side: 'api', description: 'A call is answered 504, and has no effect.' },
  'error-504-after': { side: 'api', description: 'A call takes effect, and is answered 504.' },
  'slow-body': {
    side: 'api',
    description: 'A call takes effect; its response arrives byte by byte over 60 s.',
  },
  'malformed-answer': {
    side: 'api',
    description: 'A call takes effect; its response is 200 with truncated JSON.',
  },
} as const satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof FAULTS;
type On<Side> = { [Name in FaultName]: (typeof FAULTS)[Name]['side'] extends Side ? Name : never }[FaultName];
export type WebhookFault = On<'webhook'>;
export type ApiFault = On<'api'>;

const NAMES = Object.keys(FAULTS) as FaultName[];
const WEBHOOK_FAULTS = NAMES.filter((name): name is WebhookFault => FAULTS[name].side === 'webhook');
const API_FAULTS = NAMES.filter((name): name is ApiFault => FAULTS[name].side === 'api');

const setting = z.strictObject({
  probability: z.number().min(0).max(1).default(1),
  /** How many more times the fault may occur. Without a number there is no limit. */
  times: z.int().min(0).optional(),
  /**
   * Method and path of the only call that an API fault affects, such as `POST /vkyc`. Without a path, it
   * affects all calls.
   */
  path: z
    .string()
    .regex(/^[A-Z]+ \/\S+$/)
    .optional(),
});

type Setting = z.infer<typeof setting>;

/** Body of `PUT /_sandbox/faults`. Unknown fault names are refused with a list of the known names. */
export const faultSettingsSchema = z.strictObject(
  Object.fromEntries(NAMES.map((name) => [name, setting.optional()])),
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `${issue.keys.join(', ')} is not a fault. The faults are: ${NAMES.join(', ')}`
        : undefined,
  },
);

/** The only call that is affected by API faults that a verification id names. */
const START = 'POST /vkyc';

/**
 * Decides which faults occur. A fault is set at run time for all verifications, or for a single verification
 * by a word in its id, such as `with-drop`. Random decisions depend only on the seed and on the call or
 * webhook that they concern, so that tests are repeatable.
 */
export class FaultSelector {
  readonly #seed: string;
  readonly #settings = new Map<FaultName, Setting>();
  readonly #askedOfCalls = new Map<ApiFault, number>();
  /**
   * API faults named in verification ids that have already occurred, because each occurs only once. The
   * entries have the form `<verification id> <fault>`.
   */
  readonly #met = new Set<string>();

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** Sets the named faults. Faults that are not named stay unchanged. */
  set(settings: z.infer<typeof faultSettingsSchema>): void {
    for (const [name, value] of Object.entries(settings))
      if (value) this.#settings.set(name as FaultName, { ...value });
  }

  clear(): void {
    this.#settings.clear();
  }

  settings(): Record<string, Setting> {
    return Object.fromEntries(this.#settings);
  }

  /**
   * Returns all faults of a webhook. `position` is the index of the journey's step that the webhook reports.
   */
  ofWebhook(verificationId: string, position: number): readonly WebhookFault[] {
    const named = namedIn(verificationId);
    return WEBHOOK_FAULTS.filter(
      (name) => named.has(name) || this.#hits(name, 'webhook', verificationId, position),
    );
  }

  /**
   * Returns the fault of a call such as `POST /vkyc`, or null. If a verification id names several faults,
   * each attempt of the call gets the next of them.
   */
  ofCall(call: string, verificationId: string | null): ApiFault | null {
    if (call === START && verificationId) {
      const named = namedIn(verificationId);
      const next = API_FAULTS.find((name) => named.has(name) && !this.#met.has(`${verificationId} ${name}`));
      if (next) {
        this.#met.add(`${verificationId} ${next}`);
        return next;
      }
    }
    return API_FAULTS.find((name) => this.#hitsCall(name, call)) ?? null;
  }

  #hitsCall(name: ApiFault, call: string): boolean {
    const { path = call } = this.#settings.get(name) ?? {};
    if (path !== call) return false;
    const asked = this.#askedOfCalls.get(name) ?? 0;
    this.#askedOfCalls.set(name, asked + 1);
    return this.#hits(name, 'call', asked);
  }

  #hits(name: FaultName, ...about: readonly (string | number)[]): boolean {
    const found = this.#settings.get(name);
    if (!found || found.times === 0) return false;
    if (!createSeededRandom(this.#seed, 'fault', name, ...about).chance(found.probability)) return false;
    if (found.times !== undefined) found.times -= 1;
    return true;
  }
}

/** Returns the faults named in an id such as `loan-1.happy-path.with-drop`. */
const namedIn = (verificationId: string): ReadonlySet<string> =>
  new Set(
    splitVerificationId(verificationId)
      .filter((word) => word.startsWith('with-'))
      .map((word) => word.slice('with-'.length)),
  );
