import type { Clock } from '../domain/ports.ts';
import { createApiError } from './errors.ts';
import type { Journal, JournalEntry } from './journal.ts';
import { createSeededRandom } from './seeded-random.ts';
import { StepScheduler } from './step-scheduler.ts';
import type { SandboxUser } from './user.ts';
import { Verification, type VerificationStart } from './verification.ts';

export interface UserKey {
  readonly user_id?: string | null | undefined;
  readonly user_reference_id?: string | null | undefined;
}

export interface VerificationKey {
  readonly verification_id?: string | undefined;
  readonly reference_id?: string | undefined;
}

const FIRST_REFERENCE_ID = 10_000;
const USER_CODE_LENGTH = 12;

interface Options {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly seed: string;
  readonly speed: number | null;
  /** Called each time a verification reaches a new step. */
  readonly onStep: (verification: Verification) => void;
}

/**
 * State of the sandbox: all users and verifications. The state is restored from the journal and advances with
 * the clock.
 */
export class SandboxStore {
  readonly #options: Options;
  readonly #scheduler: StepScheduler;
  readonly #users = new Map<string, SandboxUser>();
  readonly #userIds: string[] = [];
  readonly #verifications = new Map<string, Verification>();
  readonly #verificationIds: string[] = [];

  constructor(options: Options) {
    this.#options = options;
    this.#scheduler = new StepScheduler(options.clock, options.onStep);
  }

  /** Replays the journal, then takes all steps that are due by now. */
  replay(): void {
    for (const entry of this.#options.journal.entries) this.#apply(entry);
    this.advanceDue();
  }

  /**
   * Takes every step that is due. Call this before each read, so that the result depends on the clock, not on
   * a timer that may fire late.
   */
  advanceDue(): void {
    this.#scheduler.catchUp();
  }

  createUser(
    person: Omit<SandboxUser, 'user_id' | 'user_reference_id'> & { readonly user_id?: string },
  ): SandboxUser {
    const made = () =>
      createSeededRandom(this.#options.seed, 'user', this.#users.size).code(USER_CODE_LENGTH);
    const user: SandboxUser = {
      ...person,
      user_id: person.user_id ?? `auto-${made()}`,
      user_reference_id: FIRST_REFERENCE_ID + this.#users.size,
    };
    if (this.#users.has(user.user_id)) throw createApiError('userIdTaken');
    this.#record({ kind: 'USER_CREATED', user });
    return user;
  }

  findUser({ user_id, user_reference_id }: UserKey): SandboxUser {
    if (!user_id && !user_reference_id) throw createApiError('userNotNamed');
    const user = this.#users.get(user_id || (this.#userIds[indexOf(user_reference_id)] ?? ''));
    if (!user) throw createApiError('userUnknown');
    return user;
  }

  updateUser({ user_id }: SandboxUser, changes: Partial<SandboxUser>): SandboxUser {
    this.#record({ kind: 'USER_UPDATED', user_id, changes });
    return this.findUser({ user_id });
  }

  start(start: Omit<VerificationStart, 'seed' | 'speed' | 'at'>): Verification {
    const { clock, seed, speed } = this.#options;
    this.#record({ kind: 'STARTED', start: { ...start, seed, speed, at: clock.now().toISOString() } });
    return this.findVerification(start);
  }

  /** Advances a verification by up to `steps` steps. Returns how many steps it took. */
  advance({ id, position }: Verification, steps: number): number {
    const at = this.#options.clock.now().toISOString();
    this.#record({ kind: 'ADVANCED', verification_id: id, steps, at });
    return this.findVerification({ verification_id: id }).position - position;
  }

  /** Records in the journal that the webhook of this step needs no more attempts. */
  markDelivered(verification_id: string, position: number): void {
    this.#options.journal.append({ kind: 'SETTLED', verification_id, position });
  }

  has(verificationId: string): boolean {
    return this.#verifications.has(verificationId);
  }

  findVerification({ verification_id, reference_id }: VerificationKey): Verification {
    if (!verification_id && !reference_id) throw createApiError('verificationNotNamed');
    const id = verification_id || this.#verificationIds[indexOf(reference_id)];
    const found = this.#verifications.get(id ?? '');
    if (!found) throw createApiError('verificationUnknown');
    return found;
  }

  verifications(): readonly Verification[] {
    return [...this.#verifications.values()];
  }

  stop(): void {
    this.#scheduler.stop();
  }

  #record(entry: JournalEntry): void {
    this.#options.journal.append(entry);
    this.#apply(entry);
  }

  #apply(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'USER_CREATED':
        this.#users.set(entry.user.user_id, entry.user);
        this.#userIds.push(entry.user.user_id);
        return;
      case 'USER_UPDATED': {
        const user = this.#users.get(entry.user_id) as SandboxUser;
        this.#users.set(entry.user_id, { ...user, ...entry.changes });
        return;
      }
      case 'STARTED': {
        this.#scheduler.catchUp(Date.parse(entry.start.at));
        const verification = new Verification(entry.start, FIRST_REFERENCE_ID + this.#verifications.size);
        this.#verifications.set(verification.id, verification);
        this.#verificationIds.push(verification.id);
        this.#options.onStep(verification);
        this.#scheduler.schedule(verification);
        return;
      }
      case 'ADVANCED': {
        this.#scheduler.catchUp(Date.parse(entry.at));
        const verification = this.findVerification(entry);
        const now = verification.start.speed === null ? undefined : Date.parse(entry.at);
        for (let left = entry.steps; left > 0 && verification.advance(now); left -= 1)
          this.#options.onStep(verification);
        this.#scheduler.schedule(verification);
        return;
      }
      case 'SETTLED':
        // Does nothing: `startSandbox` has already read these entries, and skips the webhooks of their steps.
        return;
      default:
        entry satisfies never;
    }
  }
}

const indexOf = (referenceId: string | null | undefined): number => Number(referenceId) - FIRST_REFERENCE_ID;
